//! Memory that the shell hands in: octets for rows that outlive a power cut, and room for the analysis of the samples.

use core::fmt;

use meterbench_metrology::Analysis;

use crate::quality::aggregates::{Harmonics, NO_HARMONICS};

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

/// What the analysis of the samples needs, and what it found last: most of 55 kB.
#[derive(Debug, Clone)]
pub struct WorkArea {
    pub(crate) analysis: Analysis,
    pub(crate) harmonics: Harmonics,
}

impl WorkArea {
    /// Nothing seen yet.
    pub const fn new() -> Self {
        Self { analysis: Analysis::new(), harmonics: NO_HARMONICS }
    }
}

impl Default for WorkArea {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the analysis of the samples works; without it a meter measures no power quality.
///
/// A processor hands in a static one. A body on a bench, which has a heap, has one of its own (feature `alloc`).
#[derive(Default)]
pub enum Workspace {
    /// None.
    #[default]
    Absent,
    /// A part of the memory of a processor.
    Static(&'static mut WorkArea),
    /// One of its own.
    #[cfg(feature = "alloc")]
    Owned(alloc::boxed::Box<WorkArea>),
}

impl Workspace {
    /// One of its own where there is a heap, and else none.
    pub(crate) fn own() -> Self {
        #[cfg(feature = "alloc")]
        return Self::Owned(alloc::boxed::Box::default());
        #[cfg(not(feature = "alloc"))]
        Self::Absent
    }

    /// The area, where there is one.
    #[inline]
    pub(crate) fn area(&self) -> Option<&WorkArea> {
        match self {
            Self::Absent => None,
            Self::Static(area) => Some(area),
            #[cfg(feature = "alloc")]
            Self::Owned(area) => Some(area),
        }
    }

    /// The area, where there is one.
    #[inline]
    pub(crate) fn area_mut(&mut self) -> Option<&mut WorkArea> {
        match self {
            Self::Absent => None,
            Self::Static(area) => Some(area),
            #[cfg(feature = "alloc")]
            Self::Owned(area) => Some(area),
        }
    }
}

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Absent) { "absent" } else { "present" })
    }
}
