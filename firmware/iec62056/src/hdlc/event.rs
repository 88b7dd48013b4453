//! What both ends of the link have in common to tell.

/// Why a message did not reach the upper layer although its frames did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Discarded {
    /// It does not begin with the logical link control octets of its direction.
    #[error("the message does not begin with its logical link control octets")]
    LogicalLinkControl,
    /// It is longer than the place for it.
    #[error("the message is longer than {room} octets")]
    TooLong {
        /// Octets there is room for.
        room: usize,
    },
}

/// Why settings cannot work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// An own address that no frame may carry as its source.
    #[error("no-station, all-station and CALLING are no addresses of one's own")]
    Address,
    /// A client address of more than one octet.
    #[error("a client address has one octet")]
    ClientAddress,
    /// A length outside 1 to 2030, or a window outside 1 to 7.
    #[error("lengths of information lie within 1 to 2030, windows within 1 to 7")]
    Parameters,
    /// The buffer for one frame is too small for the information to be sent or received.
    #[error("a frame takes up to {needed} octets, there is room for {room}")]
    Room {
        /// Octets of the longest frame.
        needed: usize,
        /// Octets of the buffer.
        room: usize,
    },
}
