use aes_kw::{KeyInit, KwAes128};
use zeroize::Zeroize;

use super::Key;

/// Octets of a wrapped key of 128 bits.
pub const WRAPPED_KEY_LENGTH: usize = 24;

/// A wrapped key that does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the wrapped key of {length} octets does not open with the key encryption key")]
pub struct KeyWrapError {
    /// Octets of what was to be a wrapped key; 24 are right.
    pub length: usize,
}

/// Wraps a key with the key encryption key, the master key. Source: RFC 3394.
pub fn wrap_key(master: &Key, key: &Key) -> Result<[u8; WRAPPED_KEY_LENGTH], KeyWrapError> {
    let mut wrapped = [0; WRAPPED_KEY_LENGTH];
    match KwAes128::new(&master.0.into()).wrap_key(&key.0, &mut wrapped) {
        Ok(_) => Ok(wrapped),
        Err(_) => Err(KeyWrapError { length: WRAPPED_KEY_LENGTH }),
    }
}

/// Opens a wrapped key. Source: RFC 3394.
pub fn unwrap_key(master: &Key, wrapped: &[u8]) -> Result<Key, KeyWrapError> {
    let refused = KeyWrapError { length: wrapped.len() };
    let wrapped: &[u8; WRAPPED_KEY_LENGTH] = wrapped.try_into().map_err(|_| refused)?;
    let mut key = [0; Key::LENGTH];
    let opened = KwAes128::new(&master.0.into()).unwrap_key(wrapped, &mut key).is_ok();
    let result = if opened { Ok(Key(key)) } else { Err(refused) };
    key.zeroize();
    result
}
