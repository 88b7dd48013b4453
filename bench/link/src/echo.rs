//! Heads that return what they send.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::endpoint::Stream;
use crate::line::{Echo, LineSetting};

/// Longest silence after an octet was sent, or came back, before its echo is missing.
const WITHIN: Duration = Duration::from_secs(1);

/// A stream without the echo of what was written to it.
///
/// With [`Echo::On`], a head that does not echo is an error, told once; nothing is suppressed from then on. [`Echo::Auto`]
/// learns from the first octets sent: an answer that begins like them is given back whole, one that is equal to them would be
/// taken for their echo. No request of a sign-on or of HDLC is answered by itself.
pub struct EchoSuppressed<S> {
    inner: S,
    echo: Echo,
    /// Sent, and not come back yet.
    awaited: VecDeque<u8>,
    /// Came back while it is not known yet whether the head echoes.
    doubtful: Vec<u8>,
    /// No echo: for the reader.
    received: VecDeque<u8>,
    silence: Pin<Box<Sleep>>,
}

impl<S: Stream> EchoSuppressed<S> {
    pub fn new(inner: S, echo: Echo) -> Self {
        Self {
            inner,
            echo,
            awaited: VecDeque::new(),
            doubtful: Vec::new(),
            received: VecDeque::new(),
            silence: Box::pin(sleep(WITHIN)),
        }
    }

    /// Whether the head echoes, as far as it is known.
    pub fn echo(&self) -> Echo {
        self.echo
    }

    /// Tells echo from answer.
    fn sort(&mut self, octets: &[u8]) -> io::Result<()> {
        self.silence.as_mut().reset(Instant::now() + WITHIN);
        let mut result = Ok(());
        for &octet in octets {
            match self.awaited.front() {
                Some(&sent) if sent == octet => self.came_back(octet),
                Some(&sent) => {
                    result = self.no_echo(format_args!("{octet:#04x} came back for {sent:#04x}"));
                    self.received.push_back(octet);
                }
                None => self.received.push_back(octet),
            }
        }
        result
    }

    fn came_back(&mut self, octet: u8) {
        self.awaited.pop_front();
        if self.echo == Echo::Auto {
            self.doubtful.push(octet);
            if self.awaited.is_empty() {
                self.echo = Echo::On;
                self.doubtful.clear();
            }
        }
    }

    /// The head does not echo: everything it sends is an answer from now on.
    fn no_echo(&mut self, why: std::fmt::Arguments<'_>) -> io::Result<()> {
        self.awaited.clear();
        self.received.extend(self.doubtful.drain(..));
        match std::mem::replace(&mut self.echo, Echo::Off) {
            Echo::On => {
                let text = format!("the head does not echo what was sent: {why}");
                Err(io::Error::new(io::ErrorKind::InvalidData, text))
            }
            Echo::Auto | Echo::Off => Ok(()),
        }
    }
}

impl<S: Stream> AsyncRead for EchoSuppressed<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.received.is_empty() {
                let length = this.received.len().min(buf.remaining());
                this.received.drain(..length).for_each(|octet| buf.put_slice(&[octet]));
                return Poll::Ready(Ok(()));
            }
            if this.echo == Echo::Off {
                return Pin::new(&mut this.inner).poll_read(cx, buf);
            }
            let mut chunk = [0; 512];
            let mut chunk = ReadBuf::new(&mut chunk);
            match Pin::new(&mut this.inner).poll_read(cx, &mut chunk)? {
                Poll::Ready(()) if chunk.filled().is_empty() && this.doubtful.is_empty() => return Poll::Ready(Ok(())),
                Poll::Ready(()) if chunk.filled().is_empty() => this.no_echo(format_args!("the stream ended"))?,
                Poll::Ready(()) => this.sort(chunk.filled())?,
                Poll::Pending if this.awaited.is_empty() => return Poll::Pending,
                Poll::Pending => {
                    ready!(this.silence.as_mut().poll(cx));
                    let missing = this.awaited.len();
                    this.no_echo(format_args!("{missing} octets never came back"))?;
                }
            }
        }
    }
}

impl<S: Stream> AsyncWrite for EchoSuppressed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, data))?;
        if self.echo != Echo::Off {
            self.awaited.extend(&data[..written]);
            self.silence.as_mut().reset(Instant::now() + WITHIN);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S: Stream> Stream for EchoSuppressed<S> {
    fn set_line(&mut self, line: LineSetting) -> io::Result<()> {
        self.inner.set_line(line)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::time::timeout;

    use super::*;

    /// A head with this echo, and the far end, which first takes the request `/?!`.
    async fn asked(echo: Echo) -> (EchoSuppressed<DuplexStream>, DuplexStream) {
        let (near, far) = tokio::io::duplex(256);
        let mut head = EchoSuppressed::new(near, echo);
        head.write_all(b"/?!").await.unwrap();
        (head, far)
    }

    /// Everything that comes within five seconds.
    async fn heard(head: &mut EchoSuppressed<DuplexStream>) -> Vec<u8> {
        let mut got = Vec::new();
        let _ = timeout(Duration::from_secs(5), head.read_to_end(&mut got)).await;
        got
    }

    #[tokio::test(start_paused = true)]
    async fn the_echo_is_dropped_however_it_is_cut() {
        for echo in [Echo::On, Echo::Auto] {
            let (mut head, mut far) = asked(echo).await;
            for part in [&b"/"[..], b"?!/KA", b"M5"] {
                far.write_all(part).await.unwrap();
            }
            assert_eq!(heard(&mut head).await, b"/KAM5");
            assert_eq!(head.echo(), Echo::On);
            // The confirmation of mode E is equal to the request: one of the two is the echo.
            head.write_all(b"\x06252\r\n").await.unwrap();
            far.write_all(b"\x06252\r\n\x06252\r\n").await.unwrap();
            assert_eq!(heard(&mut head).await, b"\x06252\r\n");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_without_echo_is_found_out_and_nothing_is_lost() {
        for (answer, silent) in [(&b"/KAM5"[..], false), (b"/?", true), (b"\x15", false)] {
            let (mut head, mut far) = asked(Echo::Auto).await;
            far.write_all(answer).await.unwrap();
            let begin = Instant::now();
            let mut first = [0; 1];
            head.read_exact(&mut first).await.unwrap();
            assert_eq!(
                begin.elapsed() >= WITHIN,
                silent,
                "an answer that may be an echo is kept until it cannot be one"
            );
            assert_eq!([&first, &heard(&mut head).await[..]].concat(), answer);
            head.write_all(b"/?!").await.unwrap();
            far.write_all(b"/?!").await.unwrap();
            assert_eq!(heard(&mut head).await, b"/?!", "an answer by now");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_should_echo_and_does_not_is_an_error_once() {
        let (mut head, mut far) = asked(Echo::On).await;
        far.write_all(b"/KAM5").await.unwrap();
        let told = head.read_u8().await.unwrap_err();
        assert_eq!(told.to_string(), "the head does not echo what was sent: 0x4b came back for 0x3f");
        assert_eq!(heard(&mut head).await, b"KAM5");

        let (mut head, _far) = asked(Echo::On).await;
        let told = head.read_u8().await.unwrap_err();
        assert_eq!(told.to_string(), "the head does not echo what was sent: 3 octets never came back");
    }

    #[tokio::test(start_paused = true)]
    async fn switched_off_everything_passes() {
        let (mut head, mut far) = asked(Echo::Off).await;
        far.write_all(b"/?!/KAM5").await.unwrap();
        assert_eq!(heard(&mut head).await, b"/?!/KAM5");
    }
}
