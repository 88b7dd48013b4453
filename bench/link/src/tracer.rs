//! Writes down what passes, with bench time: lines of text, or octets.

use std::fmt;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::endpoint::Stream;
use crate::line::LineSetting;

/// A transcript shared by all sessions of a bench: `bench-ns instrument > line` for sent, `<` for received; octets are
/// written as `2F 3F 21`, and `=` is how the line is set from there on.
#[derive(Clone)]
pub struct Tracer {
    sink: Arc<Mutex<dyn Write + Send>>,
    epoch: Instant,
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").finish_non_exhaustive()
    }
}

impl Tracer {
    /// Writes to `sink`; bench time counts from `epoch`.
    pub fn new(sink: impl Write + Send + 'static, epoch: Instant) -> Self {
        Self { sink: Arc::new(Mutex::new(sink)), epoch }
    }

    /// This stream, with its octets written down both ways, as they are cut by those who write and read.
    pub fn octets<S: Stream>(&self, instrument: &str, inner: S) -> Traced<S> {
        Traced { inner, tracer: self.clone(), instrument: instrument.to_owned() }
    }

    pub(crate) fn line(&self, instrument: &str, direction: char, text: &str) {
        let ns = self.epoch.elapsed().as_nanos();
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        // A transcript that cannot be written must not stop a measurement.
        let _ = writeln!(sink, "{ns} {instrument} {direction} {}", text.escape_debug());
    }
}

/// A stream whose octets are written down.
pub struct Traced<S> {
    inner: S,
    tracer: Tracer,
    instrument: String,
}

impl<S> Traced<S> {
    fn trace(&self, direction: char, octets: &[u8]) {
        if !octets.is_empty() {
            let text: Vec<String> = octets.iter().map(|octet| format!("{octet:02X}")).collect();
            self.tracer.line(&self.instrument, direction, &text.join(" "));
        }
    }
}

impl<S: Stream> AsyncRead for Traced<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.trace('<', &buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: Stream> AsyncWrite for Traced<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, data))?;
        self.trace('>', &data[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<S: Stream> Stream for Traced<S> {
    fn set_line(&mut self, line: LineSetting) -> io::Result<()> {
        self.inner.set_line(line)?;
        self.tracer.line(&self.instrument, '=', &line.to_string());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::sleep;

    use super::*;

    /// What was written, for the test to look at.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn octets_are_written_down_both_ways_with_bench_time() {
        let paper = Paper::default();
        let tracer = Tracer::new(paper.clone(), Instant::now());
        let (near, mut far) = tokio::io::duplex(64);
        let mut head = tracer.octets("meter/1/optical", near);
        head.write_all(b"/?!\r\n").await.unwrap();
        sleep(Duration::from_millis(200)).await;
        far.write_all(b"\x06\xFE").await.unwrap();
        let mut got = [0; 2];
        head.read_exact(&mut got).await.unwrap();
        head.set_line(LineSetting::eight_none(9600)).unwrap();
        let written = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        assert_eq!(
            written,
            "0 meter/1/optical > 2F 3F 21 0D 0A\n200000000 meter/1/optical < 06 FE\n200000000 meter/1/optical = 9600 Bd 8N1\n"
        );
    }
}
