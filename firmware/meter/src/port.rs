//! The ports of a meter: the optical head on its front, and the wrapper behind its network.
//!
//! Sans-IO: octets and the meter's own time go in, octets and settings of the line come out. The optical port begins as
//! IEC 62056-21 says, at 300 Bd, and hands over to HDLC in mode E; a flag of HDLC as the first octet opens HDLC at once, as
//! clients over a network do. Only an OMNIPOWER of variant 1 whose configuration says so reads out in plain (modes A and C).

mod connections;
mod network;
mod optical;

pub use connections::{Connections, Port, Standing};
pub use meterbench_iec62056::readout::{Baud, Format, Line};
pub use network::NetworkPort;
pub use optical::{OpticalPort, PortAction};

use meterbench_iec62056::server::LONGEST_APDU;

use crate::meter::Meter;

/// Milliseconds of the meter's own time: the stream of samples is its clock.
fn now_ms(meter: &Meter) -> u64 {
    meter.sample_index() / u64::from(meterbench_metrology::SAMPLE_RATE / 1000)
}

/// Octets of a message on a port.
const MESSAGE: usize = LONGEST_APDU + 16;
