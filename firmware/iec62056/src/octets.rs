//! Octets in and out: a [`Reader`] that never reads past the end, a [`Writer`] that never writes past it.
//!
//! Both are the ground of every decoder and encoder of this crate. The writer counts on when its slice is full, so
//! that one and the same encoder measures, writes, and writes any window of its output again (block transfer).

mod reader;
mod writer;

pub use reader::Reader;
pub use writer::Writer;

/// Why octets were refused, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at octet {offset}")]
pub struct DecodeError {
    /// Place of the refused octet, counted from the first octet the decoder was given.
    pub offset: usize,
    /// What was wrong there.
    pub kind: DecodeErrorKind,
}

/// What was wrong with an octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeErrorKind {
    /// More octets were announced than there are.
    #[error("the octets end early")]
    Truncated,
    /// Octets follow the end of what was decoded.
    #[error("octets left over")]
    LeftOver,
    /// A length in more than four octets, or of the indefinite form.
    #[error("a length of unknown form")]
    Length,
    /// A tag that has no meaning here.
    #[error("unknown tag {0:#04x}")]
    Tag(u8),
    /// A choice, presence flag or type of request that has no meaning here.
    #[error("unknown choice {0}")]
    Choice(u8),
    /// Arrays and structures nested deeper than [`MAXIMUM_DEPTH`](crate::data::MAXIMUM_DEPTH).
    #[error("nested too deep")]
    Depth,
    /// A value of another type than the one asked for.
    #[error("a value of type {0}, another was expected")]
    Type(u8),
    /// A value outside of what its field allows.
    #[error("a value out of range")]
    Value,
}

/// Why something could not be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The slice is too small.
    #[error("{needed} octets are needed, the buffer holds {capacity}")]
    Full {
        /// Octets the whole encoding takes.
        needed: usize,
        /// Octets the slice holds.
        capacity: usize,
    },
    /// The value has no encoding.
    #[error("{what} has no encoding")]
    Unencodable {
        /// The field that cannot be said.
        what: &'static str,
    },
}
