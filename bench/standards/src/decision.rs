//! From value, uncertainty and limit to a verdict.

use meterbench_record::{Limit, Verdict};

/// Decision rules by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DecisionRule {
    /// Guarded acceptance with simple rejection (ILAC-G8): pass inside the limit by U, fail outside the limit.
    #[default]
    GuardedAcceptance,
    /// ISO 14253-1: pass only inside by U, fail only outside by U.
    Iso14253,
    /// Simple acceptance: the limit alone decides. Up to half of the passes on the line are wrong.
    SimpleAcceptance,
}

impl DecisionRule {
    pub const ALL: [Self; 3] = [Self::GuardedAcceptance, Self::Iso14253, Self::SimpleAcceptance];

    /// The word in plans and records.
    pub fn name(self) -> &'static str {
        match self {
            Self::GuardedAcceptance => "guarded-acceptance",
            Self::Iso14253 => "iso-14253-1",
            Self::SimpleAcceptance => "simple-acceptance",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == text)
    }
}

/// A verdict and whether it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub verdict: Verdict,
    pub decides: bool,
}

impl DecisionRule {
    /// Judges `value ± expanded` against `limit`.
    ///
    /// A limit with an uncertain ingredient binds only where it cannot matter: it fails when the loosest candidate
    /// fails, passes when the tightest passes, and does not decide between.
    pub fn judge(self, value: f64, expanded: f64, limit: &Limit) -> Judgement {
        if limit.certainty.decides() {
            return Judgement { verdict: self.verdict(value, expanded, limit.low, limit.high), decides: true };
        }
        let nominal = self.verdict(value, expanded, limit.low, limit.high);
        let Some(binding) = &limit.binding else { return Judgement { verdict: nominal, decides: false } };
        let at = |magnitude: f64| {
            self.verdict(value, expanded, limit.low.map(|_| -magnitude), limit.high.map(|_| magnitude))
        };
        if at(binding.loosest) == Verdict::Fail {
            Judgement { verdict: Verdict::Fail, decides: true }
        } else if at(binding.tightest) == Verdict::Pass {
            Judgement { verdict: Verdict::Pass, decides: true }
        } else {
            Judgement { verdict: nominal, decides: false }
        }
    }

    fn verdict(self, value: f64, expanded: f64, low: Option<f64>, high: Option<f64>) -> Verdict {
        if !value.is_finite() || !expanded.is_finite() {
            return Verdict::Inconclusive;
        }
        // Distance inside the nearer bound; negative outside.
        let inside = low.map_or(f64::INFINITY, |low| value - low).min(high.map_or(f64::INFINITY, |high| high - value));
        let (pass, fail) = match self {
            Self::GuardedAcceptance => (inside >= expanded, inside < 0.0),
            Self::Iso14253 => (inside >= expanded, inside < -expanded),
            Self::SimpleAcceptance => (inside >= 0.0, inside < 0.0),
        };
        match (pass, fail) {
            (_, true) => Verdict::Fail,
            (true, false) => Verdict::Pass,
            (false, false) => Verdict::Inconclusive,
        }
    }
}

#[cfg(test)]
mod tests {
    use meterbench_record::{Certainty, LimitBinding};

    use super::*;

    fn limit(certainty: Certainty, binding: Option<(f64, f64)>) -> Limit {
        Limit {
            low: Some(-1.0),
            high: Some(1.0),
            source: "test".into(),
            row: "test".into(),
            certainty,
            binding: binding.map(|(tightest, loosest)| LimitBinding { tightest, loosest, ingredient: "value".into() }),
        }
    }

    #[test]
    fn the_three_rules_differ_near_the_limit() {
        use DecisionRule::{GuardedAcceptance, Iso14253, SimpleAcceptance};
        use Verdict::{Fail, Inconclusive, Pass};
        let sure = limit(Certainty::Verified, None);
        #[rustfmt::skip]
        let table = [
            //  value   guarded       ISO 14253-1   simple
            (   0.85,   Pass,         Pass,         Pass),
            (   0.95,   Inconclusive, Inconclusive, Pass),
            (   1.05,   Fail,         Inconclusive, Fail),
            (   1.15,   Fail,         Fail,         Fail),
            (  -0.95,   Inconclusive, Inconclusive, Pass),
            (  -1.15,   Fail,         Fail,         Fail),
        ];
        for (value, guarded, iso, simple) in table {
            assert_eq!(GuardedAcceptance.judge(value, 0.1, &sure).verdict, guarded, "{value}");
            assert_eq!(Iso14253.judge(value, 0.1, &sure).verdict, iso, "{value}");
            assert_eq!(SimpleAcceptance.judge(value, 0.1, &sure).verdict, simple, "{value}");
        }
        assert_eq!(GuardedAcceptance.judge(f64::NAN, 0.1, &sure).verdict, Inconclusive);
    }

    #[test]
    fn an_uncertain_limit_binds_only_where_it_cannot_matter() {
        let rule = DecisionRule::GuardedAcceptance;
        let between = limit(Certainty::Medium, Some((0.5, 2.0)));
        let judge = |value| rule.judge(value, 0.1, &between);
        assert_eq!(judge(0.3), Judgement { verdict: Verdict::Pass, decides: true });
        assert_eq!(judge(0.8), Judgement { verdict: Verdict::Pass, decides: false });
        assert_eq!(judge(1.5), Judgement { verdict: Verdict::Fail, decides: false });
        assert_eq!(judge(2.1), Judgement { verdict: Verdict::Fail, decides: true });
        assert!(!rule.judge(9.0, 0.1, &limit(Certainty::Low, None)).decides);
    }
}
