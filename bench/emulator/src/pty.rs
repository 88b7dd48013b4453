//! The optical port of an emulated meter on a pseudo-terminal: what a program that reads meters takes for a serial line.
//!
//! On request with the time of a real line: octets leave and arrive one after the other at the rate in force, and what was
//! sent at another rate than the receiver's is what a receiver makes of it: something else, or nothing. A pseudo-terminal
//! has a rate but no parity: characters have ten bits, and both ends are taken to agree on them.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use meterbench_link::{LineSetting, Stream};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, ioctl_tiocnxcl, tcgetattr, tcsetattr};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe::Receiver;
use tokio::time::{Instant, Sleep, sleep};

use crate::laboratory::{Laboratory, LaboratoryError};
use crate::ports::PortKind;

/// Octets on their way to the meter; a client that sends more has to wait.
const MOST_ARRIVING: usize = 1024;

/// What an emulated optical head does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Octets take the time they take on a line, and are lost or changed at a wrong rate.
    pub baud_timing: bool,
    /// What the client sends comes back to it.
    pub echo: bool,
}

impl Laboratory {
    /// Serves the optical port of a meter on a pseudo-terminal until the future is dropped; `started` learns its path.
    pub async fn serve_pty(self, position: u32, head: Head, started: impl FnOnce(&str)) -> Result<(), LaboratoryError> {
        let failed = |source| LaboratoryError::Listen {
            instrument: PortKind::Optical.endpoint(position),
            address: "a pseudo-terminal".into(),
            source,
        };
        let (mut pty, path) = Pty::open(head).map_err(failed)?;
        started(&path);
        // Whoever put another head on the meter has it until something comes over this line again.
        loop {
            self.clone().speak(position, PortKind::Optical, &mut pty).await;
            pty.wait_for_client().await.map_err(failed)?;
        }
    }
}

/// An octet on its way.
#[derive(Debug, Clone, Copy)]
struct Flying {
    /// When its last bit has passed.
    until: Instant,
    octet: u8,
    /// The rate at which it was sent.
    baud: u32,
}

/// The meter's end of a pseudo-terminal.
struct Pty {
    /// Any descriptor that does not block is read as a pipe is.
    from_client: Receiver,
    to_client: OwnedFd,
    /// Held open, so that the line stands while no client has it open.
    client_end: OwnedFd,
    head: Head,
    line: LineSetting,
    arriving: VecDeque<Flying>,
    leaving: VecDeque<Flying>,
    /// Received, for the meter.
    heard: VecDeque<u8>,
    pause: Pin<Box<Sleep>>,
}

impl Pty {
    /// Waits until the client has sent something.
    async fn wait_for_client(&mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| {
            self.take_over(cx)?;
            if self.arriving.is_empty() { Poll::Pending } else { Poll::Ready(Ok(())) }
        })
        .await
    }

    /// A line at 300 Bd, and the path under which a client opens it.
    fn open(head: Head) -> io::Result<(Self, String)> {
        let meter_end = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        unlockpt(&meter_end)?;
        let path = ptsname(&meter_end, Vec::new())?.to_string_lossy().into_owned();
        let client_end = ioctl_tiocgptpeer(&meter_end, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        let line = LineSetting::seven_even(300);
        let mut settings = tcgetattr(&client_end)?;
        settings.make_raw();
        settings.set_speed(line.baud)?;
        tcsetattr(&client_end, OptionalActions::Now, &settings)?;
        rustix::io::ioctl_fionbio(&meter_end, true)?;
        let pty = Self {
            from_client: Receiver::from_owned_fd_unchecked(meter_end.try_clone()?)?,
            to_client: meter_end,
            client_end,
            head,
            line,
            arriving: VecDeque::new(),
            leaving: VecDeque::new(),
            heard: VecDeque::new(),
            pause: Box::pin(sleep(Duration::ZERO)),
        };
        Ok((pty, path))
    }

    /// The client's rate, as it set its end; the meter's own where rates are not kept. Clients set one rate for both
    /// directions, and the system reports it with certainty for what they send.
    fn client_baud(&self) -> u32 {
        let rate = || tcgetattr(&self.client_end).map_or(0, |settings| settings.output_speed());
        if self.head.baud_timing { rate() } else { self.line.baud }
    }

    /// Puts octets on the line behind those that are on their way.
    fn queue(timed: bool, way: &mut VecDeque<Flying>, octets: &[u8], baud: u32) {
        let now = Instant::now();
        let character = if timed { LineSetting::eight_none(baud).character_time() } else { Duration::ZERO };
        for &octet in octets {
            let begin = way.back().map_or(now, |last| last.until.max(now));
            way.push_back(Flying { until: begin + character, octet, baud });
        }
    }

    /// Takes over what the client wrote; wakes when there is more.
    fn take_over(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let mut chunk = [0; 256];
        let mut chunk = ReadBuf::new(&mut chunk);
        while self.arriving.len() < MOST_ARRIVING
            && Pin::new(&mut self.from_client).poll_read(cx, &mut chunk)?.is_ready()
        {
            let baud = self.client_baud();
            Self::queue(self.head.baud_timing, &mut self.arriving, chunk.filled(), baud);
            chunk.clear();
        }
        // A program that was killed leaves its mark of exclusive use on a line that somebody holds open.
        Ok(ioctl_tiocnxcl(&self.client_end)?)
    }

    /// What has arrived by now, as the meter hears it, and the light that the head returns.
    fn hear(&mut self) {
        let now = Instant::now();
        while let Some(Flying { octet, baud, .. }) = self.arriving.pop_front_if(|flying| flying.until <= now) {
            self.heard.extend(heard_as(octet, baud, self.line.baud));
            if self.head.echo {
                self.give(octet);
            }
        }
    }

    /// An octet for the client; lost where nobody reads.
    fn give(&self, octet: u8) {
        let _ = rustix::io::write(&self.to_client, &[octet]);
    }
}

/// What a receiver makes of an octet that was sent at another rate: it samples the line in the middle of its own bits, and
/// drops what begins with no start bit or ends with no stop bit. At equal rates, the octet.
fn heard_as(octet: u8, sent: u32, heard: u32) -> Vec<u8> {
    let (sent, heard) = (u64::from(sent), u64::from(heard));
    let mut out = Vec::new();
    // Start bit, eight bits with the lowest first, stop bit, silence.
    let high = |bit: u64| bit > 8 || bit > 0 && octet >> (bit - 1) & 1 == 1;
    // Time counts in 1 / (2 · sent · heard) s: a bit of the sender takes 2 · heard, one of the receiver 2 · sent.
    let mut free = 0;
    for bit in (0..9).filter(|&bit| !high(bit) && (bit == 0 || high(bit - 1))) {
        let edge = bit * 2 * heard;
        let sample = |n: u64| (edge + sent + n * 2 * sent).checked_div(2 * heard).is_none_or(high);
        if sent == 0 || edge < free || sample(0) {
            continue;
        }
        free = edge + 19 * sent;
        if sample(9) {
            out.push((0..8).fold(0, |octet, n| octet | u8::from(sample(n + 1)) << n));
        }
    }
    out
}

impl AsyncRead for Pty {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            this.take_over(cx)?;
            this.hear();
            if !this.heard.is_empty() {
                let length = this.heard.len().min(buf.remaining());
                this.heard.drain(..length).for_each(|octet| buf.put_slice(&[octet]));
                return Poll::Ready(Ok(()));
            }
            let Some(next) = this.arriving.front() else { return Poll::Pending };
            this.pause.as_mut().reset(next.until);
            ready!(this.pause.as_mut().poll(cx));
        }
    }
}

impl AsyncWrite for Pty {
    /// Nothing leaves before it is flushed.
    fn poll_write(self: Pin<&mut Self>, _cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        Self::queue(this.head.baud_timing, &mut this.leaving, data, this.line.baud);
        Poll::Ready(Ok(data.len()))
    }

    /// Every octet leaves when its time has come.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while let Some(&Flying { until, octet, baud }) = this.leaving.front() {
            if until > Instant::now() {
                this.pause.as_mut().reset(until);
                ready!(this.pause.as_mut().poll(cx));
            }
            this.leaving.pop_front();
            let client = this.client_baud();
            heard_as(octet, baud, client).into_iter().for_each(|octet| this.give(octet));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl Stream for Pty {
    fn set_line(&mut self, line: LineSetting) -> io::Result<()> {
        self.line = line;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
