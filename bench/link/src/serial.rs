//! A serial line of this computer: the optical head on a meter, or an instrument.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};
use tokio_serial::{ClearBuffer, ErrorKind, SerialPort, SerialPortBuilderExt, SerialStream};

use crate::endpoint::Stream;
use crate::line::LineSetting;

/// An open line. Flushing waits until the last octet written has left it.
pub(crate) struct Serial {
    device: String,
    port: SerialStream,
    line: LineSetting,
    /// Until the last octet written has left.
    leaving: Pin<Box<Sleep>>,
}

impl Serial {
    /// Opens a device for this program alone. DTR and RTS are set: an optical head takes its supply from them.
    pub(crate) fn open(device: &str, line: LineSetting) -> io::Result<Self> {
        let builder = tokio_serial::new(device, line.baud)
            .data_bits(line.data_bits)
            .parity(line.parity)
            .stop_bits(line.stop_bits)
            .dtr_on_open(true);
        let mut port = builder.open_native_async().map_err(|error| refused(device, &error))?;
        // A pseudo-terminal has no such line.
        let _ = port.write_request_to_send(true);
        // What came before the line was opened answers nothing.
        port.clear(ClearBuffer::Input).map_err(|error| refused(device, &error))?;
        Ok(Self { device: device.to_owned(), port, line, leaving: Box::pin(sleep(Duration::ZERO)) })
    }
}

/// Why a device cannot be opened, and what helps.
fn refused(device: &str, error: &tokio_serial::Error) -> io::Error {
    let (kind, text) = match error.kind {
        ErrorKind::Io(io::ErrorKind::NotFound) => (
            io::ErrorKind::NotFound,
            format!("there is no device {device}: connect it, or look up its name in /dev/serial/by-id"),
        ),
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => (
            io::ErrorKind::PermissionDenied,
            format!("this user may not open {device}: join the group it belongs to (often dialout), then log in again"),
        ),
        ErrorKind::NoDevice if cfg!(unix) => (
            io::ErrorKind::ResourceBusy,
            format!("another program has {device} open: end it (a modem manager may open every new device)"),
        ),
        _ => (io::ErrorKind::Other, format!("{device} cannot be opened as a serial line: {error}")),
    };
    io::Error::new(kind, text)
}

impl AsyncRead for Serial {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.port).poll_read(cx, buf)
    }
}

impl AsyncWrite for Serial {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.port).poll_write(cx, data))?;
        let begin = self.leaving.deadline().max(Instant::now());
        let end = begin + self.line.character_time() * u32::try_from(written).unwrap_or(u32::MAX);
        self.leaving.as_mut().reset(end);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The system's own way to wait would hold the thread.
        ready!(self.leaving.as_mut().poll(cx));
        Pin::new(&mut self.port).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl Stream for Serial {
    fn set_line(&mut self, line: LineSetting) -> io::Result<()> {
        let mut set = || {
            self.port.set_data_bits(line.data_bits)?;
            self.port.set_parity(line.parity)?;
            self.port.set_stop_bits(line.stop_bits)?;
            self.port.set_baud_rate(line.baud)
        };
        set().map_err(|error| io::Error::other(format!("{} does not take {line}: {error}", self.device)))?;
        self.line = line;
        Ok(())
    }
}

impl Drop for Serial {
    fn drop(&mut self) {
        // The mark of exclusive use stays with the device as long as anybody holds it open.
        #[cfg(unix)]
        let _ = self.port.set_exclusive(false);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::Endpoint;

    /// The far end of a line, the device of the near one, and its address.
    fn line(options: &str) -> (SerialStream, String, Endpoint) {
        let (far, mut near) = SerialStream::pair().unwrap();
        near.set_exclusive(false).unwrap();
        let device = near.name().unwrap();
        let endpoint = format!("serial://{device}{options}").parse().unwrap();
        (far, device, endpoint)
    }

    async fn refusal(endpoint: &Endpoint) -> (io::ErrorKind, String) {
        let error = endpoint.connect().await.err().expect("it cannot be opened");
        (error.kind(), error.to_string())
    }

    #[tokio::test]
    async fn octets_pass_and_flushing_takes_the_time_of_the_line() {
        let (mut far, _, endpoint) = line("?baud=1200&format=7E1&echo=off");
        let mut stream = endpoint.connect().await.unwrap();
        let begin = Instant::now();
        stream.write_all(b"/?!\r\n\x11\x13\0").await.unwrap();
        stream.flush().await.unwrap();
        let eight_characters = Duration::from_micros(66_666);
        assert!(begin.elapsed() >= eight_characters, "{:?}", begin.elapsed());
        let mut got = [0; 8];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"/?!\r\n\x11\x13\0");
        far.write_all(b"\n\r\x03\xFF").await.unwrap();
        stream.read_exact(&mut got[..4]).await.unwrap();
        assert_eq!(&got[..4], b"\n\r\x03\xFF");
    }

    #[tokio::test]
    async fn the_rate_changes_on_an_open_line() {
        let (far, _, endpoint) = line("?baud=300&format=7E1");
        let mut stream = endpoint.connect().await.unwrap();
        assert_eq!(far.baud_rate().unwrap(), 300);
        stream.set_line(LineSetting::eight_none(9600)).unwrap();
        assert_eq!(far.baud_rate().unwrap(), 9600);
    }

    #[tokio::test]
    async fn a_line_is_for_one_program_until_it_is_closed() {
        let (_far, device, endpoint) = line("");
        let stream = endpoint.connect().await.unwrap();
        let (kind, text) = refusal(&endpoint).await;
        assert_eq!(kind, io::ErrorKind::ResourceBusy, "{text}");
        assert!(text.contains(&device) && text.contains("another program"), "{text}");
        drop(stream);
        endpoint.connect().await.unwrap();
    }

    #[tokio::test]
    async fn a_device_that_is_missing_or_no_line_is_named() {
        let missing = "serial:///dev/no-such-head".parse().unwrap();
        let (kind, text) = refusal(&missing).await;
        assert_eq!(kind, io::ErrorKind::NotFound);
        assert!(text.starts_with("there is no device /dev/no-such-head: "), "{text}");
        let (_, text) = refusal(&"serial:///dev/null".parse().unwrap()).await;
        assert!(text.starts_with("/dev/null cannot be opened as a serial line: "), "{text}");
    }
}
