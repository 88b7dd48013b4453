use subtle::ConstantTimeEq;

use super::protection::vector;
use super::{Protection, SecurityControl, SecurityError, SystemTitle};

/// Octets of the answer to a challenge: control, counter, tag.
pub const AUTHENTICATION_LENGTH: usize = 17;

/// Shortest and longest challenge.
const CHALLENGE: core::ops::RangeInclusive<usize> = 8..=64;

/// Compares a password of low level security; the time tells nothing but the lengths.
pub fn password_matches(expected: &[u8], received: &[u8]) -> bool {
    !expected.is_empty() && expected.ct_eq(received).into()
}

/// Whether both challenges have an allowed length and are not the same: a challenge sent back is a trick.
pub fn challenges_differ(client_to_server: &[u8], server_to_client: &[u8]) -> bool {
    CHALLENGE.contains(&client_to_server.len())
        && CHALLENGE.contains(&server_to_client.len())
        && client_to_server != server_to_client
}

impl Protection {
    /// Answers a challenge with GMAC: control, counter, and the tag over control, authentication key and challenge.
    /// Title and counter are those of the one who answers.
    pub fn authenticate(&self, title: &SystemTitle, counter: u32, challenge: &[u8]) -> [u8; AUTHENTICATION_LENGTH] {
        let control = SecurityControl::AUTHENTICATED.0 | self.suite();
        let tag = self.cipher().seal(
            &vector(title, counter),
            &[&[control], self.authentication_key(), challenge],
            &[],
            &mut [],
        );
        let mut answer = [0; AUTHENTICATION_LENGTH];
        answer[0] = control;
        answer[1..5].copy_from_slice(&counter.to_be_bytes());
        answer[5..].copy_from_slice(&tag[..12]);
        answer
    }

    /// Checks the other side's answer to a challenge and returns its counter, for
    /// [`ReceiveCounter::raise`](super::ReceiveCounter::raise). Title is that of the one who answered.
    pub fn verify(&self, title: &SystemTitle, answer: &[u8], challenge: &[u8]) -> Result<u32, SecurityError> {
        let [_, a, b, c, d, ..] = *answer else { return Err(SecurityError::NotGenuine) };
        let counter = u32::from_be_bytes([a, b, c, d]);
        let expected = self.authenticate(title, counter, challenge);
        if expected.ct_eq(answer).into() { Ok(counter) } else { Err(SecurityError::NotGenuine) }
    }
}
