//! Negotiation of information length and window by SNRM and UA (IEC 62056-46).

use super::event::SettingsError;
use super::frame::FRAME_OVERHEAD;

/// Format identifier and group identifier of the information field of SNRM and UA.
const FORMAT: u8 = 0x81;
const GROUP: u8 = 0x80;
/// Group identifier of user data, which may follow and is left alone.
const USER_DATA: u8 = 0xF0;

/// How long the lengths of information are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ParametersForm {
    /// One octet up to 128, two above.
    #[default]
    ByValue,
    /// One octet, as older meters do; lengths above 255 take two all the same.
    OneOctet,
    /// Two octets.
    TwoOctets,
}

/// What one end can send and receive, seen from that end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameters {
    /// Longest information field this end sends, in octets.
    pub information_transmit: u16,
    /// Longest information field this end receives, in octets.
    pub information_receive: u16,
    /// Frames this end sends before it waits for an acknowledgement, 1..=7.
    pub window_transmit: u8,
    /// Frames this end receives before it acknowledges, 1..=7.
    pub window_receive: u8,
}

/// Why an information field of SNRM or UA cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParametersError {
    /// The field ends too early, or its lengths do not fit each other.
    #[error("the parameters end before octet {offset}")]
    Incomplete {
        /// Where the next octet was expected.
        offset: usize,
    },
    /// Another identifier than that of HDLC parameters.
    #[error("octet {offset} is {found:#04x}, no identifier of HDLC parameters")]
    Identifier {
        /// Where it stands.
        offset: usize,
        /// The octet that stands there.
        found: u8,
    },
    /// A value of zero, or one of no octet or more than four.
    #[error("the parameter at octet {offset} has no usable value")]
    Value {
        /// Where the parameter starts.
        offset: usize,
    },
}

impl Default for Parameters {
    /// What counts where nothing is said: 128 octets and a window of one.
    fn default() -> Self {
        Self { information_transmit: 128, information_receive: 128, window_transmit: 1, window_receive: 1 }
    }
}

impl Parameters {
    /// The most octets [`Self::encode`] writes.
    pub const LONGEST: usize = 23;

    /// The same in both directions.
    pub const fn symmetric(information: u16, window: u8) -> Self {
        Self {
            information_transmit: information,
            information_receive: information,
            window_transmit: window,
            window_receive: window,
        }
    }

    /// Whether both lengths and both windows can be used: 1..=2030 octets, windows 1..=7.
    pub const fn is_usable(&self) -> bool {
        matches!(self.information_transmit, 1..=2030)
            && matches!(self.information_receive, 1..=2030)
            && matches!(self.window_transmit, 1..=7)
            && matches!(self.window_receive, 1..=7)
    }

    /// Whether these can be used with so much room for one frame.
    pub(crate) fn check_room(&self, room: usize) -> Result<(), SettingsError> {
        if !self.is_usable() {
            return Err(SettingsError::Parameters);
        }
        let information = usize::from(self.information_transmit.max(self.information_receive));
        let needed = information.max(Self::LONGEST) + FRAME_OVERHEAD;
        if room < needed { Err(SettingsError::Room { needed, room }) } else { Ok(()) }
    }

    /// Reads the information field of SNRM or UA. What is not said has its default; an empty field says nothing.
    pub fn decode(octets: &[u8]) -> Result<(Self, ParametersForm), ParametersError> {
        let mut said = Self::default();
        let mut form = ParametersForm::ByValue;
        if octets.is_empty() {
            return Ok((said, form));
        }
        let at = |offset: usize| octets.get(offset).copied().ok_or(ParametersError::Incomplete { offset });
        for (offset, expected) in [(0, FORMAT), (1, GROUP)] {
            let found = at(offset)?;
            if found != expected {
                return Err(ParametersError::Identifier { offset, found });
            }
        }
        let end = 3 + usize::from(at(2)?);
        if octets.len() < end {
            return Err(ParametersError::Incomplete { offset: octets.len() });
        }
        if let Some(&found) = octets.get(end)
            && found != USER_DATA
        {
            return Err(ParametersError::Identifier { offset: end, found });
        }
        let mut offset = 3;
        while offset < end {
            let length = usize::from(at(offset + 1)?);
            let next = offset + 2 + length;
            if next > end {
                return Err(ParametersError::Incomplete { offset: end });
            }
            if !(1..=4).contains(&length) {
                return Err(ParametersError::Value { offset });
            }
            let digits = octets.get(offset + 2..next).unwrap_or_default();
            let value = digits.iter().fold(0, |value: u32, &octet| value << 8 | u32::from(octet));
            if value == 0 {
                return Err(ParametersError::Value { offset });
            }
            let (long, window) = (u16::try_from(value).unwrap_or(u16::MAX), value.min(7) as u8);
            let identifier = at(offset)?;
            match identifier {
                0x05 => said.information_transmit = long,
                0x06 => said.information_receive = long,
                0x07 => said.window_transmit = window,
                0x08 => said.window_receive = window,
                found => return Err(ParametersError::Identifier { offset, found }),
            }
            if identifier <= 0x06 {
                form = if length == 1 { ParametersForm::OneOctet } else { ParametersForm::TwoOctets };
            }
            offset = next;
        }
        Ok((said, form))
    }

    /// Writes the information field of SNRM or UA; returns the octets and how many of them count.
    pub fn encode(&self, form: ParametersForm) -> ([u8; Self::LONGEST], usize) {
        let longest = self.information_transmit.max(self.information_receive);
        let two = match form {
            ParametersForm::ByValue => longest > 128,
            ParametersForm::OneOctet => longest > 255,
            ParametersForm::TwoOctets => true,
        };
        let (transmit, receive) = (self.information_transmit.to_be_bytes(), self.information_receive.to_be_bytes());
        let (send, take) = (self.window_transmit, self.window_receive);
        #[rustfmt::skip]
        let octets = if two {
            [FORMAT, GROUP, 0x14, 5, 2, transmit[0], transmit[1], 6, 2, receive[0], receive[1],
             7, 4, 0, 0, 0, send, 8, 4, 0, 0, 0, take]
        } else {
            [FORMAT, GROUP, 0x12, 5, 1, transmit[1], 6, 1, receive[1],
             7, 4, 0, 0, 0, send, 8, 4, 0, 0, 0, take, 0, 0]
        };
        (octets, if two { 23 } else { 21 })
    }

    /// What both ends can do: the smaller of each, what one sends against what the other receives.
    #[must_use]
    pub fn negotiated_with(&self, peer: &Self) -> Self {
        Self {
            information_transmit: self.information_transmit.min(peer.information_receive),
            information_receive: self.information_receive.min(peer.information_transmit),
            window_transmit: self.window_transmit.min(peer.window_receive),
            window_receive: self.window_receive.min(peer.window_transmit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_survive_a_round_trip() {
        for form in [ParametersForm::OneOctet, ParametersForm::TwoOctets] {
            for (information, window) in [(1, 1), (128, 7), (154, 3), (255, 2)] {
                let sent = Parameters::symmetric(information, window);
                let (octets, length) = sent.encode(form);
                assert_eq!(Parameters::decode(&octets[..length]), Ok((sent, form)));
            }
        }
        let long = Parameters { information_transmit: 2030, ..Parameters::default() };
        let (octets, length) = long.encode(ParametersForm::OneOctet);
        assert_eq!(Parameters::decode(&octets[..length]), Ok((long, ParametersForm::TwoOctets)));
    }

    #[test]
    fn what_is_not_said_is_128_octets_and_a_window_of_one() {
        assert_eq!(Parameters::decode(&[]).unwrap().0, Parameters::symmetric(128, 1));
        let (said, _) = Parameters::decode(&[0x81, 0x80, 3, 7, 1, 9]).unwrap();
        assert_eq!(said, Parameters { window_transmit: 7, ..Parameters::default() });
        assert!(Parameters::decode(&[0x81, 0x80, 3, 5, 1, 60, 0xF0, 2, 1, 2]).is_ok(), "user data is left alone");
    }

    #[test]
    fn what_is_no_parameter_is_refused_with_its_place() {
        use ParametersError::*;
        for (octets, error) in [
            (&[0x82][..], Identifier { offset: 0, found: 0x82 }),
            (&[0x81, 0x80], Incomplete { offset: 2 }),
            (&[0x81, 0x80, 3, 5, 1], Incomplete { offset: 5 }),
            (&[0x81, 0x80, 3, 9, 1, 1], Identifier { offset: 3, found: 9 }),
            (&[0x81, 0x80, 3, 5, 1, 0], Value { offset: 3 }),
            (&[0x81, 0x80, 2, 5, 0], Value { offset: 3 }),
            (&[0x81, 0x80, 3, 5, 4, 1], Incomplete { offset: 6 }),
        ] {
            assert_eq!(Parameters::decode(octets), Err(error));
        }
    }

    #[test]
    fn sending_is_negotiated_against_receiving() {
        let client =
            Parameters { information_transmit: 100, information_receive: 2030, window_transmit: 7, window_receive: 2 };
        let server =
            Parameters { information_transmit: 500, information_receive: 300, window_transmit: 5, window_receive: 3 };
        let at_server = server.negotiated_with(&client);
        let expected =
            Parameters { information_transmit: 500, information_receive: 100, window_transmit: 2, window_receive: 3 };
        assert_eq!(at_server, expected);
        let at_client = client.negotiated_with(&at_server);
        assert_eq!(at_client.information_transmit, at_server.information_receive);
        assert_eq!(at_client.window_receive, at_server.window_transmit);
    }
}
