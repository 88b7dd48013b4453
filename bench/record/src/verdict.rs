//! What a measurement says of the meter, and what a run says of everything.

use serde::{Deserialize, Serialize};

/// What a measurement says of the meter. Errors and interruptions are of the bench and never verdicts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Inside the limit, by the decision rule.
    Pass,
    /// Not tested on request.
    Skipped,
    /// This meter cannot show it.
    NotObservable,
    /// Neither inside nor outside can be claimed with this uncertainty.
    Inconclusive,
    /// Outside the limit, by the decision rule.
    Fail,
    /// A verdict of a newer version, kept as it is.
    #[serde(untagged)]
    Unknown(String),
}

impl Verdict {
    /// The word in the record.
    pub fn word(&self) -> &str {
        match self {
            Self::Pass => "pass",
            Self::Skipped => "skipped",
            Self::NotObservable => "not-observable",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Unknown(word) => word,
        }
    }
}

/// How a run ended. Ordered by strength for the exit code: the strongest of several runs wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Something was decided and nothing failed.
    Pass,
    /// Nothing was decided, or something stayed inconclusive.
    Undecided,
    /// The meter failed.
    Fail,
    /// The bench broke.
    Error,
    /// Somebody stopped it.
    Interrupted,
}

impl Outcome {
    /// The exit code of the command line.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Error => 3,
            Self::Undecided => 4,
            Self::Interrupted => 130,
        }
    }

    /// The word on the terminal.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Undecided => "UNDECIDED",
            Self::Fail => "FAIL",
            Self::Error => "ERROR",
            Self::Interrupted => "INTERRUPTED",
        }
    }
}

/// How sure a limit (or one of its ingredients) is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// The figure may be wrong.
    Low,
    /// Probably right; to be checked against the standard.
    Medium,
    /// From knowledge of the standard; it would be a surprise to be wrong.
    High,
    /// Seen in a public source.
    Verified,
}

impl Certainty {
    /// A limit of this certainty decides on its own.
    pub fn decides(self) -> bool {
        self >= Self::High
    }

    /// The word in the data files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Verified => "verified",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_verdict_survives_a_round_trip() {
        let read: Verdict = serde_json::from_str("\"conditional-pass\"").unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), "\"conditional-pass\"");
        assert_eq!(serde_json::from_str::<Verdict>("\"not-observable\"").unwrap(), Verdict::NotObservable);
    }

    #[test]
    fn outcomes_are_ordered_by_strength() {
        use Outcome::{Error, Fail, Interrupted, Pass, Undecided};
        assert!(Interrupted > Error && Error > Fail && Fail > Undecided && Undecided > Pass);
    }
}
