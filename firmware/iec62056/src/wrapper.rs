//! The wrapper for COSEM over TCP and UDP (IEC 62056-47): eight octets before every message.
//!
//! Over UDP one datagram is one message ([`Wpdu::decode_datagram`]); over TCP messages are cut out of the stream by their
//! length ([`Reassembler`]). What breaks the rules cannot be skipped in a stream: the caller closes the connection.

/// The registered port, TCP and UDP.
pub const PORT: u16 = 4059;
/// Octets of the header.
pub const HEADER: usize = 8;
/// The one version there is.
pub const VERSION: u16 = 1;

/// Why octets are no wrapper message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrapperError {
    /// Another version.
    #[error("octets 0 and 1 say version {found}, expected 1")]
    Version {
        /// The version that stands there.
        found: u16,
    },
    /// The octets end within the message.
    #[error("the message ends at octet {found}, its header needs {needed}")]
    Incomplete {
        /// Octets there are.
        found: usize,
        /// Octets there should be.
        needed: usize,
    },
    /// Octets behind the message in one datagram.
    #[error("octets follow the message at octet {offset}")]
    Trailing {
        /// Where they start.
        offset: usize,
    },
    /// The message does not fit the place for it.
    #[error("octets 6 and 7 announce {announced} octets, there is room for {room}")]
    TooLong {
        /// Octets of the message without its header.
        announced: usize,
        /// Octets there is room for.
        room: usize,
    },
}

/// The header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Wrapper port of the sender: the client's access point, or the server's logical device.
    pub source: u16,
    /// Wrapper port of the receiver.
    pub destination: u16,
    /// Octets that follow.
    pub length: u16,
}

impl Header {
    /// Reads the header.
    pub const fn decode(octets: [u8; HEADER]) -> Result<Self, WrapperError> {
        let [v, w, a, b, c, d, e, f] = octets;
        match u16::from_be_bytes([v, w]) {
            VERSION => Ok(Self {
                source: u16::from_be_bytes([a, b]),
                destination: u16::from_be_bytes([c, d]),
                length: u16::from_be_bytes([e, f]),
            }),
            found => Err(WrapperError::Version { found }),
        }
    }

    /// Writes the header.
    pub const fn encode(&self) -> [u8; HEADER] {
        let ([v, w], [a, b]) = (VERSION.to_be_bytes(), self.source.to_be_bytes());
        let ([c, d], [e, f]) = (self.destination.to_be_bytes(), self.length.to_be_bytes());
        [v, w, a, b, c, d, e, f]
    }
}

/// One message with its ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wpdu<'a> {
    /// Wrapper port of the sender.
    pub source: u16,
    /// Wrapper port of the receiver.
    pub destination: u16,
    /// The message.
    pub data: &'a [u8],
}

impl<'a> Wpdu<'a> {
    /// Reads the one message of a datagram.
    pub fn decode_datagram(octets: &'a [u8]) -> Result<Self, WrapperError> {
        let Some((header, rest)) = octets.split_first_chunk::<HEADER>() else {
            return Err(WrapperError::Incomplete { found: octets.len(), needed: HEADER });
        };
        let Header { source, destination, length } = Header::decode(*header)?;
        let length = usize::from(length);
        match rest.get(..length) {
            None => Err(WrapperError::Incomplete { found: octets.len(), needed: HEADER + length }),
            Some(data) if data.len() == rest.len() => Ok(Self { source, destination, data }),
            Some(_) => Err(WrapperError::Trailing { offset: HEADER + length }),
        }
    }

    /// Writes header and message; returns the number of octets.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, WrapperError> {
        let announced = self.data.len();
        let too_long = |room: usize| WrapperError::TooLong { announced, room };
        let length = u16::try_from(announced).map_err(|_| too_long(usize::from(u16::MAX)))?;
        let room = out.len().saturating_sub(HEADER);
        let out = out.get_mut(..HEADER + announced).ok_or(too_long(room))?;
        let (header, data) = out.split_at_mut(HEADER);
        header.copy_from_slice(&Header { source: self.source, destination: self.destination, length }.encode());
        data.copy_from_slice(self.data);
        Ok(HEADER + announced)
    }
}

/// Cuts messages of up to `N` octets out of a stream.
#[derive(Debug, Clone)]
pub struct Reassembler<const N: usize> {
    header: [u8; HEADER],
    data: [u8; N],
    /// Octets of header and data that are here.
    filled: usize,
    error: Option<WrapperError>,
}

impl<const N: usize> Default for Reassembler<N> {
    fn default() -> Self {
        Self { header: [0; HEADER], data: [0; N], filled: 0, error: None }
    }
}

impl<const N: usize> Reassembler<N> {
    /// Takes octets up to the end of the next message; returns how many. [`Self::message`] then shows it, if it is whole:
    /// call again with the rest. After an error nothing more is taken until [`Self::reset`].
    pub fn push(&mut self, octets: &[u8]) -> Result<usize, WrapperError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.message().is_some() {
            self.filled = 0;
        }
        let mut taken = 0;
        if let Some(place) = self.header.get_mut(self.filled..) {
            taken = place.len().min(octets.len());
            place.iter_mut().zip(octets).for_each(|(place, &octet)| *place = octet);
            self.filled += taken;
        }
        // A wrong version is told as soon as it is there.
        if self.filled >= 2 && self.header[..2] != VERSION.to_be_bytes() {
            return Err(
                self.fail(WrapperError::Version { found: u16::from_be_bytes([self.header[0], self.header[1]]) })
            );
        }
        if self.filled < HEADER {
            return Ok(taken);
        }
        let announced = usize::from(u16::from_be_bytes([self.header[6], self.header[7]]));
        if announced > N {
            return Err(self.fail(WrapperError::TooLong { announced, room: N }));
        }
        let rest = octets.get(taken..).unwrap_or_default();
        let place = self.data.get_mut(self.filled - HEADER..announced).unwrap_or_default();
        let more = place.len().min(rest.len());
        place.iter_mut().zip(rest).for_each(|(place, &octet)| *place = octet);
        self.filled += more;
        Ok(taken + more)
    }

    /// The message that the last [`Self::push`] completed.
    pub fn message(&self) -> Option<Wpdu<'_>> {
        let data = self.filled.checked_sub(HEADER)?;
        let header = Header::decode(self.header).ok()?;
        (data == usize::from(header.length)).then_some(())?;
        Some(Wpdu { source: header.source, destination: header.destination, data: self.data.get(..data)? })
    }

    /// Starts anew with a new connection.
    pub fn reset(&mut self) {
        (self.filled, self.error) = (0, None);
    }

    fn fail(&mut self, error: WrapperError) -> WrapperError {
        self.error = Some(error);
        error
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn stream(messages: &[&[u8]]) -> Vec<u8> {
        let mut stream = Vec::new();
        for data in messages {
            let mut out = [0; 600];
            let length = Wpdu { source: 16, destination: 1, data }.encode(&mut out).unwrap();
            stream.extend(&out[..length]);
        }
        stream
    }

    #[test]
    fn messages_come_whole_out_of_every_cut() {
        let messages: [&[u8]; 4] = [b"first", b"", &[0xA5; 500], b"x"];
        let stream = stream(&messages);
        for step in 1..stream.len() {
            let (mut reassembler, mut found) = (Reassembler::<500>::default(), Vec::new());
            for mut piece in stream.chunks(step) {
                while !piece.is_empty() {
                    piece = &piece[reassembler.push(piece).unwrap()..];
                    found.extend(reassembler.message().map(|message| message.data.to_vec()));
                }
            }
            assert_eq!(found, messages, "cut into {step}");
        }
    }

    #[test]
    fn a_datagram_is_one_message() {
        let one = stream(&[b"data"]);
        assert_eq!(Wpdu::decode_datagram(&one), Ok(Wpdu { source: 16, destination: 1, data: b"data" }));
        assert_eq!(Wpdu::decode_datagram(&one[..11]), Err(WrapperError::Incomplete { found: 11, needed: 12 }));
        assert_eq!(Wpdu::decode_datagram(&one[..7]), Err(WrapperError::Incomplete { found: 7, needed: 8 }));
        let two = stream(&[b"data", b"more"]);
        assert_eq!(Wpdu::decode_datagram(&two), Err(WrapperError::Trailing { offset: 12 }));
    }

    #[test]
    fn what_breaks_the_rules_stays_broken_until_reset() {
        let mut reassembler = Reassembler::<16>::default();
        assert_eq!(reassembler.push(&[0, 2]), Err(WrapperError::Version { found: 2 }));
        assert_eq!(reassembler.push(&[0, 1]), Err(WrapperError::Version { found: 2 }));
        reassembler.reset();
        let long = [0, 1, 0, 16, 0, 1, 0, 17];
        assert_eq!(reassembler.push(&long), Err(WrapperError::TooLong { announced: 17, room: 16 }));
        let room = Wpdu { source: 1, destination: 1, data: &[0; 9] }.encode(&mut [0; 16]);
        assert_eq!(room, Err(WrapperError::TooLong { announced: 9, room: 8 }));
    }
}
