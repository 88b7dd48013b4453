//! Roles of a bench and the drivers that fill them.
//!
//! A driver speaks one instrument's protocol over a [`Session`]. Whether the instrument is real
//! or emulated cannot be known here: the seam is bytes. Set-points are checked against [`SourceLimits`] before a byte
//! is written. A new driver is one file and one line in [`open_source`], [`open_reference`] or [`open_chamber`].

mod ametek_mx;
mod com5003;
mod fluke_6105a;
mod meter_port;
mod mt786;
mod programmer;
mod roles;
mod s0_counter;
mod scpi;
mod shape;
mod waveform;
mod weiss_ascii2;

use meterbench_link::Session;

pub use meter_port::{
    Access, AttributeRight, Counters, LinkReport, ListedObject, LoggedEvent, MeterPort, PortAddress, PortError,
    PortKind, RegisterReading, result_words,
};
pub use programmer::{Clearance, Flashed, OFF_VOLT, Programmer};
pub use roles::{
    AcSource, CalculatorState, Chamber, ChamberLimits, Climate, Energy, ErrorCalculator, ErrorReading, InstrumentError,
    MeterOutput, Pulses, Readback, Reference, ReferenceSpecification, ReferenceStandard, Setting, SourceLimits, Wave,
};
pub use s0_counter::S0Counter;
pub use waveform::WaveSource;

/// Models of the source role.
pub const SOURCES: [&str; 3] = ["zera-mt786", "fluke-6105a", "ametek-mx"];
/// Models of the reference role.
pub const REFERENCES: [&str; 1] = ["zera-com5003"];
/// Models of the chamber role.
pub const CHAMBERS: [&str; 1] = ["weiss-ascii2"];

/// Byte that ends a line of this model.
pub fn terminator(model: &str) -> Option<u8> {
    match model {
        "zera-mt786" | "weiss-ascii2" => Some(b'\r'),
        "zera-com5003" | "s0-counter" | "fluke-6105a" | "ametek-mx" => Some(b'\n'),
        _ => None,
    }
}

/// The driver of a source model; `None` when there is none.
pub fn open_source(model: &str, session: Session, limits: SourceLimits) -> Option<Box<dyn AcSource>> {
    match model {
        "zera-mt786" => Some(Box::new(mt786::Mt786::new(session, limits))),
        "fluke-6105a" => Some(Box::new(fluke_6105a::Fluke6105a::new(session, limits))),
        "ametek-mx" => Some(Box::new(ametek_mx::AmetekMx::new(session, limits))),
        _ => None,
    }
}

/// The driver of a reference model; `None` when there is none.
pub fn open_reference(model: &str, session: Session) -> Option<Box<dyn Reference>> {
    match model {
        "zera-com5003" => Some(Box::new(com5003::Com5003::new(session))),
        _ => None,
    }
}

/// The driver of a chamber model; `None` when there is none.
pub fn open_chamber(model: &str, session: Session, limits: ChamberLimits) -> Option<Box<dyn Chamber>> {
    match model {
        "weiss-ascii2" => Some(Box::new(weiss_ascii2::WeissAscii2::new(session, limits))),
        _ => None,
    }
}
