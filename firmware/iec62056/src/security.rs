//! Protection of APDUs: suite 0, AES-GCM-128 with 96 bit tags, and what goes with it.
//!
//! A [`Ciphered`] APDU is taken apart without keys. A [`Protection`] holds the keys of one association and protects or
//! opens. Whether a counter may be accepted or used again is decided by [`ReceiveCounter`] and [`TransmitCounter`], what
//! must be protected by [`SecurityPolicy`]; neither reads storage: the caller persists, *before* it acts.
//!
//! Comparisons with secrets take the same time whatever they find. Keys are wiped when they are dropped.
//! Source: IEC 62056-5-3, NIST SP 800-38D, RFC 3394.

mod authentication;
mod ciphered;
mod control;
mod counter;
mod gcm;
mod key_wrap;
mod policy;
mod protection;
mod sealing;
mod signing;

pub use authentication::{AUTHENTICATION_LENGTH, challenges_differ, password_matches};
pub use ciphered::{Ciphered, GeneralHead, KeyInformation, Protected};
pub use control::{Key, SecurityControl, SystemTitle};
pub use counter::{Accepted, CounterError, ReceiveCounter, TransmitCounter};
pub use gcm::Gcm;
pub use key_wrap::{KeyWrapError, WRAPPED_KEY_LENGTH, unwrap_key, wrap_key};
pub use policy::{Direction, Requirement, SecurityPolicy};
pub use protection::{Envelope, Protection, SecurityError, Unprotected};
pub(crate) use sealing::{Changed, Sealing};
pub use signing::SignedApdu;
#[cfg(feature = "signing")]
pub use signing::{SigningKey, VerifyingKey};
