//! A counter on the terminals of S0: `PULSES?` is answered with count and times of the pulses, `PULSES RESET` by itself.

use meterbench_link::Session;

use crate::roles::{InstrumentError, Pulses};

/// Counts and times the pulses of one meter.
pub struct S0Counter {
    session: Session,
}

impl S0Counter {
    pub fn new(session: Session) -> Self {
        Self { session }
    }

    /// Begins to count and time the pulses on S0 anew.
    pub async fn reset_pulses(&mut self) -> Result<(), InstrumentError> {
        self.command("PULSES RESET").await
    }

    /// The pulses on S0 since then.
    pub async fn pulses(&mut self) -> Result<Pulses, InstrumentError> {
        let text = self.session.query("PULSES?").await?;
        let expected = "`COUNT;SHORTEST ON;LONGEST ON;SHORTEST OFF;LONGEST OFF` in ms";
        parse_pulses(&text).ok_or_else(|| self.session.unexpected("PULSES?", &text, expected).into())
    }

    /// A command is answered by itself.
    async fn command(&mut self, command: &str) -> Result<(), InstrumentError> {
        let answer = self.session.query(command).await?;
        if answer != command {
            return Err(self.session.unexpected(command, &answer, &format!("`{command}`")).into());
        }
        Ok(())
    }
}

fn parse_pulses(text: &str) -> Option<Pulses> {
    let mut fields = text.split(';');
    let count = fields.next()?.parse().ok()?;
    let mut span = || match (fields.next()?, fields.next()?) {
        ("-", "-") => Some(None),
        (shortest, longest) => {
            let number = |text: &str| text.parse::<f64>().ok().filter(|ms| ms.is_finite() && *ms >= 0.0);
            Some(Some((number(shortest)?, number(longest)?)))
        }
    };
    let (on_ms, off_ms) = (span()?, span()?);
    fields.next().is_none().then_some(Pulses { count, on_ms, off_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulses_may_be_too_few_to_have_times() {
        let read = |count, on_ms, off_ms| Some(Pulses { count, on_ms, off_ms });
        assert_eq!(parse_pulses("2;30.00;30.10;22.17;22.17"), read(2, Some((30.0, 30.1)), Some((22.17, 22.17))));
        assert_eq!(parse_pulses("1;30.00;30.00;-;-"), read(1, Some((30.0, 30.0)), None));
        assert_eq!(parse_pulses("0;-;-;-;-"), read(0, None, None));
        for bad in ["", "1", "1;30;30", "-1;-;-;-;-", "1;-;30;-;-", "1;NaN;1;-;-", "1;-;-;-;-;", "1;-5;30;-;-"] {
            assert_eq!(parse_pulses(bad), None, "{bad}");
        }
    }
}
