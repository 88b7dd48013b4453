//! Moves bytes.
//!
//! An [`Endpoint`] says where an instrument is reached and opens a [`Stream`]; a [`Session`] exchanges lines over it
//! with a time-out on every exchange. A session whose exchange failed is *out of step*: it drops its stream, and the
//! next exchange opens a new one, so that a late answer dies with the old stream and is never taken for the next.
//!
//! A serial line is set by its stream ([`Stream::set_line`]); [`EchoSuppressed`] takes away what an optical head returns.
//!
//! [`Tracer`] writes down what passes; [`Disturbance`] spoils it on purpose. Both wrap the stream, neither is known to a
//! driver.

mod address;
mod disturbance;
mod echo;
mod endpoint;
mod line;
mod serial;
mod session;
mod tracer;

pub use address::AddressError;
pub use disturbance::{Disturbance, Spoil};
pub use echo::EchoSuppressed;
pub use endpoint::{Dialer, Endpoint, Listener, Stream, pipe};
pub use line::{DataBits, Echo, LineSetting, Parity, StopBits};
pub use session::{LinkError, Session, SessionOptions};
pub use tracer::{Traced, Tracer};
