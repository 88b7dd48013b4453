//! Where an instrument is reached.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::disturbance::{Disturbance, Disturbed};
use crate::echo::EchoSuppressed;
use crate::line::{Echo, LineSetting};
use crate::serial::Serial;

/// A duplex stream of bytes.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Sets rate and characters from the next octet on; flush first. What has no line does nothing.
    fn set_line(&mut self, _line: LineSetting) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for TcpStream {}
impl Stream for DuplexStream {}

impl<S: Stream + ?Sized> Stream for &mut S {
    fn set_line(&mut self, line: LineSetting) -> io::Result<()> {
        (**self).set_line(line)
    }
}

impl<S: Stream + ?Sized> Stream for Box<S> {
    fn set_line(&mut self, line: LineSetting) -> io::Result<()> {
        (**self).set_line(line)
    }
}

/// Bytes in flight in one direction of a pipe.
const PIPE_CAPACITY: usize = 64 * 1024;

/// The calling end of an in-process pipe: every call opens a new stream, as a TCP connect would.
#[derive(Debug, Clone)]
pub struct Dialer(mpsc::UnboundedSender<DuplexStream>);

/// The called end.
#[derive(Debug)]
pub struct Listener(mpsc::UnboundedReceiver<DuplexStream>);

/// A pair of ends.
pub fn pipe() -> (Dialer, Listener) {
    let (tx, rx) = mpsc::unbounded_channel();
    (Dialer(tx), Listener(rx))
}

impl Listener {
    /// The next stream somebody opened; `None` when nobody can any more.
    pub async fn accept(&mut self) -> Option<DuplexStream> {
        self.0.recv().await
    }
}

/// Where an instrument is reached.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// Within this process.
    Pipe(Dialer),
    /// `host:port`.
    Tcp(String),
    /// A serial device of this computer, and how its line is set at first.
    Serial { device: String, line: LineSetting, echo: Echo },
    /// Another endpoint whose bytes are spoilt on purpose.
    Disturbed(Box<Endpoint>, Disturbance),
}

impl Endpoint {
    /// Opens a stream.
    pub async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Pipe(dialer) => {
                let (ours, theirs) = tokio::io::duplex(PIPE_CAPACITY);
                let gone = |_| io::Error::new(io::ErrorKind::ConnectionRefused, "nobody listens on this pipe");
                dialer.0.send(theirs).map_err(gone)?;
                Ok(Box::new(ours))
            }
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            Self::Serial { device, line, echo } => {
                Ok(Box::new(EchoSuppressed::new(Serial::open(device, *line)?, *echo)))
            }
            Self::Disturbed(inner, disturbance) => {
                let stream = Box::pin(inner.connect()).await?;
                Ok(Box::new(Disturbed::new(stream, disturbance.clone())))
            }
        }
    }
}
