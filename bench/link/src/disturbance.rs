//! A stream that is spoilt on purpose: how the bench proves that a broken instrument is reported and never believed.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::endpoint::Stream;
use crate::line::LineSetting;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoil {
    /// Nothing comes back any more.
    Dead,
    /// Every answer comes this much later.
    Slow(Duration),
    /// Half of an answer comes, then nothing.
    HalfLine,
    /// Answers are turned into noise.
    Garbage,
    /// The connection is closed.
    Cut,
}

/// When it goes wrong: after so many commands have been written to the instrument, over all connections.
#[derive(Debug, Clone)]
pub struct Disturbance {
    spoil: Spoil,
    writes_left: Arc<AtomicU32>,
}

impl Disturbance {
    /// The first `commands` are answered; the next and all that follow are spoilt.
    pub fn after(commands: u32, spoil: Spoil) -> Self {
        Self { spoil, writes_left: Arc::new(AtomicU32::new(commands.saturating_add(1))) }
    }

    fn active(&self) -> bool {
        self.writes_left.load(Ordering::Relaxed) == 0
    }

    fn count_write(&self) {
        let _ = self.writes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
    }
}

pub(crate) struct Disturbed {
    inner: Box<dyn Stream>,
    disturbance: Disturbance,
    delay: Option<Pin<Box<Sleep>>>,
    halved: bool,
}

impl Disturbed {
    pub(crate) fn new(inner: Box<dyn Stream>, disturbance: Disturbance) -> Self {
        Self { inner, disturbance, delay: None, halved: false }
    }
}

impl AsyncRead for Disturbed {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.disturbance.active() {
            return Pin::new(&mut self.inner).poll_read(cx, buf);
        }
        match self.disturbance.spoil {
            Spoil::Cut => Poll::Ready(Ok(())), // end of file
            // Never woken: whoever waits is freed by the time-out.
            Spoil::Dead => Poll::Pending,
            Spoil::HalfLine if self.halved => Poll::Pending,
            Spoil::Slow(late) => {
                let delay = self.delay.get_or_insert_with(|| Box::pin(sleep(late)));
                ready!(delay.as_mut().poll(cx));
                ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
                self.delay = None;
                Poll::Ready(Ok(()))
            }
            Spoil::HalfLine => {
                let before = buf.filled().len();
                ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
                let got = buf.filled().len() - before;
                buf.set_filled(before + got / 2);
                self.halved = true;
                if got < 2 { Poll::Pending } else { Poll::Ready(Ok(())) }
            }
            Spoil::Garbage => {
                let before = buf.filled().len();
                ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
                for (n, byte) in buf.filled_mut()[before..].iter_mut().enumerate() {
                    if !matches!(*byte, b'\r' | b'\n') {
                        *byte = byte.rotate_left(3) ^ (n as u8).wrapping_mul(29);
                    }
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Disturbed {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if self.disturbance.active() && self.disturbance.spoil == Spoil::Cut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, data))?;
        self.disturbance.count_write();
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl Stream for Disturbed {
    fn set_line(&mut self, line: LineSetting) -> io::Result<()> {
        self.inner.set_line(line)
    }
}
