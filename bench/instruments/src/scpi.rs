//! SCPI over a session: no command is fire and forget, the error queue is asked after each.

use std::time::Duration;

use meterbench_link::Session;

use crate::roles::InstrumentError;

pub(crate) struct Scpi {
    session: Session,
}

impl Scpi {
    pub(crate) fn new(session: Session) -> Self {
        Self { session }
    }

    pub(crate) fn instrument(&self) -> &str {
        self.session.instrument()
    }

    pub(crate) fn is_out_of_step(&self) -> bool {
        self.session.is_out_of_step()
    }

    /// A session of its own to the same instrument.
    pub(crate) fn fresh(&self) -> Self {
        Self::new(self.session.fresh())
    }

    /// Sends a command and lets nobody answer for it: for what must be said whatever stands in the error queue.
    pub(crate) async fn say(&mut self, command: &str) -> Result<(), InstrumentError> {
        Ok(self.session.send(command).await?)
    }

    /// Sends a command; what the error queue then says of it is an error here.
    pub(crate) async fn tell(&mut self, command: &str) -> Result<(), InstrumentError> {
        self.say(command).await?;
        const ERROR: &str = "SYST:ERR?";
        let answer = self.session.query(ERROR).await?;
        let entry = answer.split_once(',').and_then(|(code, text)| Some((code.trim().parse::<i32>().ok()?, text)));
        match entry {
            Some((0, _)) => Ok(()),
            Some((code, text)) => {
                let what = format!("{} ({code}) after `{}`", text.trim().trim_matches('"'), shortened(command));
                Err(InstrumentError::Reported { instrument: self.instrument().to_owned(), what })
            }
            None => Err(self.session.unexpected(ERROR, &answer, "a number and a text").into()),
        }
    }

    pub(crate) async fn ask(&mut self, query: &str) -> Result<String, InstrumentError> {
        Ok(self.session.query(query).await?.trim().to_owned())
    }

    pub(crate) async fn number(&mut self, query: &str) -> Result<f64, InstrumentError> {
        let answer = self.ask(query).await?;
        let number = answer.parse::<f64>().ok().filter(|value| value.is_finite());
        number.ok_or_else(|| self.unexpected(query, &answer, "a number"))
    }

    pub(crate) async fn switch(&mut self, query: &str) -> Result<bool, InstrumentError> {
        let answer = self.ask(query).await?;
        match answer.to_ascii_uppercase().as_str() {
            "1" | "ON" => Ok(true),
            "0" | "OFF" => Ok(false),
            _ => Err(self.unexpected(query, &answer, "`0` or `1`")),
        }
    }

    /// Waits until the instrument says that everything before is done.
    pub(crate) async fn completed(&mut self, longest: Duration) -> Result<(), InstrumentError> {
        const DONE: &str = "*OPC?";
        let answers = self.session.collect(DONE, longest, |_| true).await?;
        match answers.last().map(|answer| answer.trim()) {
            Some("1") => Ok(()),
            answer => {
                let answer = answer.unwrap_or_default().to_owned();
                Err(self.unexpected(DONE, &answer, "`1`"))
            }
        }
    }

    pub(crate) fn unexpected(&mut self, query: &str, answer: &str, expected: &str) -> InstrumentError {
        self.session.unexpected(query, answer, expected).into()
    }

    pub(crate) fn beyond(&self, asked: String, limit: String) -> InstrumentError {
        InstrumentError::BeyondLimit { instrument: self.instrument().to_owned(), asked, limit }
    }

    pub(crate) fn cannot(&self, asked: impl Into<String>, why: impl Into<String>) -> InstrumentError {
        let instrument = self.instrument().to_owned();
        InstrumentError::CannotMake { instrument, asked: asked.into(), why: why.into() }
    }
}

/// A command with a table in it is named by its beginning.
fn shortened(command: &str) -> &str {
    match command.char_indices().nth(60) {
        Some((end, _)) => &command[..end],
        None => command,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use meterbench_link::{Endpoint, Listener, SessionOptions, pipe};
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

    use super::*;

    /// What a driver wrote, line by line.
    pub(crate) type Written = Arc<Mutex<Vec<String>>>;

    /// A session to something that keeps every line and answers by this table; an error queue is empty.
    pub(crate) fn answered(answers: &'static [(&'static str, &'static str)]) -> (Session, Written) {
        let (dialer, listener) = pipe();
        let written = Written::default();
        tokio::spawn(serve(listener, answers, written.clone()));
        let options = SessionOptions {
            instrument: "the source".into(),
            terminator: b'\n',
            timeout: Duration::from_secs(2),
            tracer: None,
        };
        (Session::new(Endpoint::Pipe(dialer), options), written)
    }

    async fn serve(mut listener: Listener, answers: &'static [(&'static str, &'static str)], written: Written) {
        while let Some(stream) = listener.accept().await {
            let (read, mut write) = tokio::io::split(stream);
            let mut lines = BufReader::new(read).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                let answer = answers.iter().find(|(question, _)| *question == line).map(|(_, answer)| *answer);
                let answer = answer.or((line == "SYST:ERR?").then_some("0,\"No error\""));
                written.lock().unwrap().push(line);
                if let Some(answer) = answer {
                    write.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
                }
            }
        }
    }

    /// What was written, without the questions for errors.
    pub(crate) fn commands(written: &Written) -> Vec<String> {
        written.lock().unwrap().drain(..).filter(|line| line != "SYST:ERR?").collect()
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_in_the_queue_names_the_command() {
        let (session, _) = answered(&[("SYST:ERR?", "-222,\"Data out of range\"")]);
        let error = Scpi::new(session).tell("VOLT 900").await.unwrap_err().to_string();
        assert_eq!(error, "the source reports: Data out of range (-222) after `VOLT 900`");
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_mean_nothing_are_errors() {
        let (session, _) =
            answered(&[("SYST:ERR?", "fine"), ("V?", "NAN"), ("O?", "2"), ("*OPC?", "0"), ("I?", "inf")]);
        let mut scpi = Scpi::new(session);
        assert!(scpi.tell("VOLT 1").await.unwrap_err().to_string().ends_with("expected a number and a text"));
        assert!(scpi.number("V?").await.is_err() && scpi.number("I?").await.is_err());
        assert!(scpi.switch("O?").await.is_err());
        assert!(scpi.completed(Duration::from_secs(1)).await.is_err());
    }
}
