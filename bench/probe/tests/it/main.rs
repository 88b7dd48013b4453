//! Everything above the wire, against an emulated chip that obeys its flash.

mod errors;
mod files;
mod flashing;
