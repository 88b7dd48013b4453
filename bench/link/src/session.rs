//! Lines over a stream, each exchange under a time-out.

use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use crate::endpoint::{Endpoint, Stream};
use crate::tracer::Tracer;

/// Longest line any instrument sends.
const LONGEST_LINE: usize = 64 * 1024;

/// What can go wrong between a driver and its instrument.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    #[error("{instrument} cannot be reached: {source}")]
    Connect { instrument: String, source: io::Error },
    #[error("{instrument} did not answer `{command}` within {}", seconds(.waited))]
    Timeout { instrument: String, command: String, waited: Duration },
    #[error("{instrument} closed the connection during `{command}`")]
    Closed { instrument: String, command: String },
    #[error("{instrument} broke off during `{command}`: {source}")]
    Io { instrument: String, command: String, source: io::Error },
    #[error("{instrument} answered `{command}` with bytes that are no text (byte {offset} is {byte:#04x})")]
    NotText { instrument: String, command: String, offset: usize, byte: u8 },
    #[error("{instrument} answered `{command}` with a line of more than {LONGEST_LINE} bytes")]
    TooLong { instrument: String, command: String },
    #[error("{instrument} answered `{command}` with `{answer}`, expected {expected}")]
    Unexpected { instrument: String, command: String, answer: String, expected: String },
}

fn seconds(duration: &Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// How a session speaks.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Who is at the other end, for every message: `the source (zera-mt786 at emulated)`.
    pub instrument: String,
    /// Byte that ends a line, both ways. A carriage return before a line feed is dropped.
    pub terminator: u8,
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// Transcript, if one is kept.
    pub tracer: Option<Tracer>,
}

/// A line-by-line conversation with one instrument.
pub struct Session {
    endpoint: Endpoint,
    options: SessionOptions,
    stream: Option<Box<dyn Stream>>,
    received: Vec<u8>,
}

impl Session {
    /// Nothing is opened before the first exchange.
    pub fn new(endpoint: Endpoint, options: SessionOptions) -> Self {
        Self { endpoint, options, stream: None, received: Vec::new() }
    }

    /// Who is at the other end.
    pub fn instrument(&self) -> &str {
        &self.options.instrument
    }

    /// The next exchange will open a new stream.
    pub fn is_out_of_step(&self) -> bool {
        self.stream.is_none()
    }

    /// A session of its own to the same instrument: for what must work when this one does not.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self::new(self.endpoint.clone(), self.options.clone())
    }

    /// Sends a line that has no answer.
    pub async fn send(&mut self, command: &str) -> Result<(), LinkError> {
        self.exchange(command, self.options.timeout, |_| Some(())).await.map(|_| ())
    }

    /// Sends a line and takes one line as answer.
    pub async fn query(&mut self, command: &str) -> Result<String, LinkError> {
        let mut lines = self.collect(command, self.options.timeout, |_| true).await?;
        Ok(lines.pop().unwrap_or_default())
    }

    /// Sends a line and takes lines until `last` says that one is the last; all of them are returned.
    pub async fn collect(
        &mut self,
        command: &str,
        longest: Duration,
        mut last: impl FnMut(&str) -> bool,
    ) -> Result<Vec<String>, LinkError> {
        let mut lines = Vec::new();
        self.exchange(command, longest, |line| {
            let line = line?;
            let done = last(&line);
            lines.push(line);
            done.then_some(())
        })
        .await?;
        Ok(lines)
    }

    /// An answer that came and cannot be: the session is out of step from here.
    pub fn unexpected(&mut self, command: &str, answer: &str, expected: &str) -> LinkError {
        self.stream = None;
        LinkError::Unexpected {
            instrument: self.options.instrument.clone(),
            command: command.to_owned(),
            answer: answer.to_owned(),
            expected: expected.to_owned(),
        }
    }

    /// One exchange under one time-out. `step` is asked once with `None` after sending (done already?) and then with
    /// every line.
    async fn exchange(
        &mut self,
        command: &str,
        longest: Duration,
        step: impl FnMut(Option<String>) -> Option<()>,
    ) -> Result<(), LinkError> {
        let result = match timeout(longest, self.talk(command, step)).await {
            Ok(result) => result,
            Err(_) => Err(LinkError::Timeout {
                instrument: self.options.instrument.clone(),
                command: command.to_owned(),
                waited: longest,
            }),
        };
        if let Err(error) = &result {
            self.stream = None;
            self.received.clear();
            tracing::debug!(%error, "session out of step");
        }
        result
    }

    async fn talk(
        &mut self,
        command: &str,
        mut step: impl FnMut(Option<String>) -> Option<()>,
    ) -> Result<(), LinkError> {
        let instrument = self.options.instrument.clone();
        let failed = |source| LinkError::Io { instrument: instrument.clone(), command: command.to_owned(), source };
        let standing = match self.stream.take() {
            Some(mut stream) => (self.received.is_empty() && is_quiet(&mut stream).await).then_some(stream),
            None => None,
        };
        let mut stream = match standing {
            Some(stream) => stream,
            // A line nobody asked for would be taken for the answer: such a stream is not used again.
            None => {
                self.received.clear();
                let connect = |source| LinkError::Connect { instrument: self.options.instrument.clone(), source };
                self.endpoint.connect().await.map_err(connect)?
            }
        };
        let mut line = command.as_bytes().to_vec();
        line.push(self.options.terminator);
        self.trace('>', command);
        stream.write_all(&line).await.map_err(failed)?;
        stream.flush().await.map_err(failed)?;
        let mut done = step(None);
        while done.is_none() {
            let answer = self.read_line(&mut stream, command).await?;
            self.trace('<', &answer);
            done = step(Some(answer));
        }
        self.stream = Some(stream);
        Ok(())
    }

    async fn read_line(&mut self, stream: &mut Box<dyn Stream>, command: &str) -> Result<String, LinkError> {
        let named = || (self.options.instrument.clone(), command.to_owned());
        loop {
            if let Some(end) = self.received.iter().position(|&b| b == self.options.terminator) {
                let mut line: Vec<u8> = self.received.drain(..=end).collect();
                line.pop();
                if self.options.terminator == b'\n' && line.last() == Some(&b'\r') {
                    line.pop();
                }
                return String::from_utf8(line).map_err(|e| {
                    let (instrument, command) = (self.options.instrument.clone(), command.to_owned());
                    let offset = e.utf8_error().valid_up_to();
                    let byte = e.as_bytes().get(offset).copied().unwrap_or_default();
                    LinkError::NotText { instrument, command, offset, byte }
                });
            }
            if self.received.len() > LONGEST_LINE {
                let (instrument, command) = named();
                return Err(LinkError::TooLong { instrument, command });
            }
            let mut chunk = [0; 4096];
            let read = stream.read(&mut chunk).await.map_err(|source| {
                let (instrument, command) = named();
                LinkError::Io { instrument, command, source }
            })?;
            if read == 0 {
                let (instrument, command) = named();
                return Err(LinkError::Closed { instrument, command });
            }
            self.received.extend_from_slice(&chunk[..read]);
        }
    }

    fn trace(&self, direction: char, text: &str) {
        if let Some(tracer) = &self.options.tracer {
            tracer.line(&self.options.instrument, direction, text);
        }
    }
}

/// Nothing has arrived and the stream is open.
async fn is_quiet(stream: &mut Box<dyn Stream>) -> bool {
    let mut byte = [0; 1];
    std::future::poll_fn(|cx| {
        let mut buffer = ReadBuf::new(&mut byte);
        Poll::Ready(Pin::new(&mut *stream).poll_read(cx, &mut buffer).is_pending())
    })
    .await
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, BufReader};

    use super::*;
    use crate::{Disturbance, Listener, Spoil, pipe};

    fn session(endpoint: Endpoint) -> Session {
        let options = SessionOptions {
            instrument: "the source (test)".into(),
            terminator: b'\n',
            timeout: Duration::from_secs(2),
            tracer: None,
        };
        Session::new(endpoint, options)
    }

    /// Answers every line with `re: LINE`, `slow` lines after five seconds.
    fn serve(mut listener: Listener) {
        tokio::spawn(async move {
            while let Some(stream) = listener.accept().await {
                tokio::spawn(async move {
                    let (read, mut write) = tokio::io::split(stream);
                    let mut lines = BufReader::new(read).lines();
                    while let Ok(Some(line)) = lines.next_line().await {
                        if line == "slow" {
                            tokio::time::sleep(Duration::from_secs(5)).await;
                        }
                        let answer = format!("re: {line}\n");
                        let times = if line == "twice" { 2 } else { 1 };
                        if write.write_all(answer.repeat(times).as_bytes()).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_is_never_taken_for_the_next() {
        let (dialer, listener) = pipe();
        serve(listener);
        let mut session = session(Endpoint::Pipe(dialer));
        assert_eq!(session.query("one").await.unwrap(), "re: one");
        let error = session.query("slow").await.unwrap_err().to_string();
        assert_eq!(error, "the source (test) did not answer `slow` within 2 s");
        assert!(session.is_out_of_step());
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(session.query("two").await.unwrap(), "re: two");
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_too_many_is_never_taken_for_the_next_answer() {
        let (dialer, listener) = pipe();
        serve(listener);
        let mut session = session(Endpoint::Pipe(dialer));
        assert_eq!(session.query("twice").await.unwrap(), "re: twice");
        assert_eq!(session.query("next").await.unwrap(), "re: next");
    }

    #[tokio::test(start_paused = true)]
    async fn every_kind_of_broken_instrument_is_an_error_and_never_an_answer() {
        for spoil in [Spoil::Dead, Spoil::Slow(Duration::from_secs(3)), Spoil::HalfLine, Spoil::Garbage, Spoil::Cut] {
            let (dialer, listener) = pipe();
            serve(listener);
            let disturbance = Disturbance::after(1, spoil);
            let mut session = session(Endpoint::Disturbed(Box::new(Endpoint::Pipe(dialer)), disturbance));
            assert_eq!(session.query("first").await.unwrap(), "re: first", "{spoil:?}");
            for _ in 0..3 {
                match session.query("0123456789").await {
                    Err(_) => {}
                    Ok(answer) => assert_ne!(answer, "re: 0123456789", "{spoil:?}"),
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_listening_is_said_so() {
        let (dialer, listener) = pipe();
        drop(listener);
        let error = session(Endpoint::Pipe(dialer)).query("x").await.unwrap_err().to_string();
        assert!(error.contains("cannot be reached"), "{error}");
    }
}
