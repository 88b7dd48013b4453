//! Memory for rows that outlive a power cut: octets that the shell hands in.

use core::fmt;

/// Octets that keep what is written to them; the shell decides whether they do so without supply.
///
/// A processor hands in a static slice. A body on a bench, which has a heap, hands in octets of its own (feature `alloc`).
#[derive(Default)]
pub enum Memory {
    /// None: the meter keeps no rows.
    #[default]
    Absent,
    /// A part of the memory of a processor.
    Static(&'static mut [u8]),
    /// Octets of their own.
    #[cfg(feature = "alloc")]
    Owned(alloc::boxed::Box<[u8]>),
}

impl Memory {
    /// The octets.
    pub fn octets(&self) -> &[u8] {
        match self {
            Self::Absent => &[],
            Self::Static(octets) => octets,
            #[cfg(feature = "alloc")]
            Self::Owned(octets) => octets,
        }
    }

    /// Forgets everything, as memory that was never written to.
    pub fn erase(&mut self) {
        self.octets_mut().fill(0);
    }

    pub(crate) fn octets_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Absent => &mut [],
            Self::Static(octets) => octets,
            #[cfg(feature = "alloc")]
            Self::Owned(octets) => octets,
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.octets().len())
    }
}
