//! Addresses as bench files write them: `tcp://HOST:PORT`, `serial://DEVICE?baud=300&format=7E1&echo=auto`.

use std::str::FromStr;

use crate::endpoint::Endpoint;
use crate::line::{Echo, LineSetting};

/// Why something is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("`{0}` is no address: write tcp://HOST:PORT or serial:///dev/ttyUSB0")]
    Scheme(String),
    #[error("`{0}` has no port: write tcp://HOST:PORT")]
    Port(String),
    #[error("`{0}` names no device: write serial:///dev/ttyUSB0")]
    Device(String),
    #[error("a serial line has no option `{0}`, only baud, format and echo")]
    Option(String),
    #[error("`{value}` is no {option}: {expected}")]
    Value { option: &'static str, value: String, expected: &'static str },
}

impl FromStr for Endpoint {
    type Err = AddressError;

    /// A serial line is set to 9600 Bd 8N1 where nothing else is written; whether it echoes is found out.
    fn from_str(address: &str) -> Result<Self, AddressError> {
        if let Some(host_and_port) = address.strip_prefix("tcp://") {
            let port = host_and_port.rsplit_once(':').filter(|(host, _)| !host.is_empty());
            let valid = port.is_some_and(|(_, port)| port.parse::<u16>().is_ok());
            return if valid { Ok(Self::Tcp(host_and_port.into())) } else { Err(AddressError::Port(address.into())) };
        }
        let Some(line) = address.strip_prefix("serial://") else { return Err(AddressError::Scheme(address.into())) };
        let (device, options) = line.split_once('?').unwrap_or((line, ""));
        if device.is_empty() {
            return Err(AddressError::Device(address.into()));
        }
        let (mut setting, mut echo) = (LineSetting::eight_none(9600), Echo::Auto);
        for option in options.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let wrong = |option, expected| AddressError::Value { option, value: value.into(), expected };
            match name {
                "baud" => {
                    let rate = value.parse().ok().filter(|&rate| rate > 0);
                    setting.baud = rate.ok_or_else(|| wrong("rate", "write bits per second, such as 300"))?;
                }
                "format" => {
                    let characters = setting.with_format(value);
                    setting = characters.ok_or_else(|| {
                        wrong("format", "write data bits, parity (N, E, O) and stop bits, such as 7E1")
                    })?;
                }
                "echo" => echo = value.parse().map_err(|()| wrong("echo", "write on, off or auto"))?,
                unknown => return Err(AddressError::Option(unknown.into())),
            }
        }
        Ok(Self::Serial { device: device.into(), line: setting, echo })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        let serial = |address: &str| match address.parse() {
            Ok(Endpoint::Serial { device, line, echo }) => (device, line.to_string(), echo),
            other => panic!("{other:?}"),
        };
        assert_eq!(serial("serial:///dev/ttyUSB0"), ("/dev/ttyUSB0".into(), "9600 Bd 8N1".into(), Echo::Auto));
        let written = serial("serial:///dev/ttyUSB0?baud=300&format=7E1&echo=on");
        assert_eq!(written, ("/dev/ttyUSB0".into(), "300 Bd 7E1".into(), Echo::On));
        assert_eq!(serial("serial://COM3?echo=off"), ("COM3".into(), "9600 Bd 8N1".into(), Echo::Off));
        for tcp in ["meter.example:4059", "[::1]:4059"] {
            let Ok(Endpoint::Tcp(address)) = format!("tcp://{tcp}").parse() else { panic!("{tcp}") };
            assert_eq!(address, tcp);
        }
    }

    #[test]
    fn what_is_no_address_is_told_with_what_to_write() {
        for (address, told) in [
            ("/dev/ttyUSB0", "`/dev/ttyUSB0` is no address: write tcp://HOST:PORT or serial:///dev/ttyUSB0"),
            ("tcp://meter", "`tcp://meter` has no port: write tcp://HOST:PORT"),
            ("tcp://:70000", "`tcp://:70000` has no port: write tcp://HOST:PORT"),
            ("serial://?baud=300", "`serial://?baud=300` names no device: write serial:///dev/ttyUSB0"),
            ("serial:///dev/ttyS0?speed=300", "a serial line has no option `speed`, only baud, format and echo"),
            ("serial:///dev/ttyS0?baud=0", "`0` is no rate: write bits per second, such as 300"),
            ("serial:///dev/ttyS0?echo=yes", "`yes` is no echo: write on, off or auto"),
            (
                "serial:///dev/ttyS0?format=9X7",
                "`9X7` is no format: write data bits, parity (N, E, O) and stop bits, such as 7E1",
            ),
        ] {
            let error = address.parse::<Endpoint>().expect_err(address);
            assert_eq!(error.to_string(), told);
        }
    }
}
