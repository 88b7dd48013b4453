//! The control field (IEC 62056-46).

/// What a frame wants. `poll` is the P/F bit: poll in a command, final in a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// I: numbered information.
    Information {
        /// N(S), the number of this frame, 0..=7.
        send: u8,
        /// N(R), the number expected next from the peer, 0..=7.
        receive: u8,
        /// The P/F bit.
        poll: bool,
    },
    /// RR: receive ready.
    ReceiveReady {
        /// N(R), 0..=7.
        receive: u8,
        /// The P/F bit.
        poll: bool,
    },
    /// RNR: receive not ready.
    ReceiveNotReady {
        /// N(R), 0..=7.
        receive: u8,
        /// The P/F bit.
        poll: bool,
    },
    /// SNRM: set normal response mode, the request to connect.
    SetNormalResponseMode {
        /// The P bit.
        poll: bool,
    },
    /// DISC: the request to disconnect.
    Disconnect {
        /// The P bit.
        poll: bool,
    },
    /// UA: unnumbered acknowledgement of SNRM or DISC.
    UnnumberedAcknowledge {
        /// The F bit.
        poll: bool,
    },
    /// DM: the server is disconnected.
    DisconnectedMode {
        /// The F bit.
        poll: bool,
    },
    /// FRMR: a frame was rejected; only SNRM or DISC help.
    FrameReject {
        /// The F bit.
        poll: bool,
    },
    /// UI: unnumbered information.
    UnnumberedInformation {
        /// The P/F bit.
        poll: bool,
    },
    /// A control field this profile does not know.
    Other(u8),
}

const POLL: u8 = 0x10;

impl Control {
    /// Reads the octet. Every value has a meaning, [`Control::Other`] at least, so every octet survives a round trip.
    #[rustfmt::skip]
    pub const fn from_octet(octet: u8) -> Self {
        let poll = octet & POLL != 0;
        let receive = octet >> 5;
        match octet & !POLL {
            n if n & 0x01 == 0    => Self::Information { send: n >> 1 & 7, receive, poll },
            n if n & 0x0F == 0x01 => Self::ReceiveReady { receive, poll },
            n if n & 0x0F == 0x05 => Self::ReceiveNotReady { receive, poll },
            0x83 => Self::SetNormalResponseMode { poll },
            0x43 => Self::Disconnect { poll },
            0x63 => Self::UnnumberedAcknowledge { poll },
            0x0F => Self::DisconnectedMode { poll },
            0x87 => Self::FrameReject { poll },
            0x03 => Self::UnnumberedInformation { poll },
            _    => Self::Other(octet),
        }
    }

    /// The octet on the line. Numbers are taken modulo 8.
    #[rustfmt::skip]
    pub const fn octet(self) -> u8 {
        let (bits, poll) = match self {
            Self::Information { send, receive, poll } => ((receive & 7) << 5 | (send & 7) << 1, poll),
            Self::ReceiveReady { receive, poll }      => ((receive & 7) << 5 | 0x01, poll),
            Self::ReceiveNotReady { receive, poll }   => ((receive & 7) << 5 | 0x05, poll),
            Self::SetNormalResponseMode { poll }      => (0x83, poll),
            Self::Disconnect { poll }                 => (0x43, poll),
            Self::UnnumberedAcknowledge { poll }      => (0x63, poll),
            Self::DisconnectedMode { poll }           => (0x0F, poll),
            Self::FrameReject { poll }                => (0x87, poll),
            Self::UnnumberedInformation { poll }      => (0x03, poll),
            Self::Other(octet)                        => (octet, octet & POLL != 0),
        };
        if poll { bits | POLL } else { bits }
    }

    /// The P/F bit.
    pub const fn poll(self) -> bool {
        self.octet() & POLL != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_survives_a_round_trip() {
        for octet in 0..=u8::MAX {
            assert_eq!(Control::from_octet(octet).octet(), octet);
        }
    }

    #[test]
    fn the_fields_of_the_standard_are_known() {
        assert_eq!(Control::from_octet(0x93), Control::SetNormalResponseMode { poll: true });
        assert_eq!(Control::from_octet(0x52), Control::Information { send: 1, receive: 2, poll: true });
        assert_eq!(Control::from_octet(0x71), Control::ReceiveReady { receive: 3, poll: true });
        assert_eq!(Control::from_octet(0x45), Control::ReceiveNotReady { receive: 2, poll: false });
        assert_eq!(Control::from_octet(0x1F), Control::DisconnectedMode { poll: true });
        assert_eq!(Control::from_octet(0x97), Control::FrameReject { poll: true });
        assert_eq!(Control::from_octet(0x09), Control::Other(0x09));
    }
}
