use core::fmt;

use aes::Aes128;
use aes::cipher::common::InnerIvInit;
use aes::cipher::{KeyInit, StreamCipherCoreWrapper};
use ctr::cipher::{StreamCipher, StreamCipherCore};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use subtle::ConstantTimeEq;

use super::Key;

type Block = [u8; 16];
type Counter<'c> = ctr::CtrCore<&'c Aes128, ctr::flavors::Ctr32BE>;

/// AES-GCM with a key of 128 bits and an initialisation vector of 96.
///
/// Made of the block cipher, counter mode and GHASH of RustCrypto, so that the associated data may come in pieces: an
/// APDU that is authenticated only is all associated data, and is not copied for it.
/// Source: NIST SP 800-38D.
pub struct Gcm {
    cipher: Aes128,
    hash: GHash,
}

impl fmt::Debug for Gcm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Gcm(kept secret)")
    }
}

/// Associated data or text on its way into the hash, which takes whole blocks.
struct Absorber {
    hash: GHash,
    pending: Block,
    filled: usize,
}

impl Absorber {
    fn absorb(&mut self, mut octets: &[u8]) {
        if self.filled > 0 {
            let taken = octets.len().min(self.pending.len() - self.filled);
            let (head, rest) = octets.split_at(taken);
            self.pending[self.filled..self.filled + taken].copy_from_slice(head);
            self.filled += taken;
            octets = rest;
            if self.filled < self.pending.len() {
                return;
            }
            self.hash.update(&[self.pending.into()]);
            self.filled = 0;
        }
        let (blocks, rest) = octets.split_at(octets.len() - octets.len() % self.pending.len());
        self.hash.update_padded(blocks);
        self.pending[..rest.len()].copy_from_slice(rest);
        self.filled = rest.len();
    }

    /// Fills the block begun with zeros.
    fn pad(&mut self) {
        if self.filled > 0 {
            self.pending[self.filled..].fill(0);
            self.hash.update(&[self.pending.into()]);
            self.filled = 0;
        }
    }
}

impl Gcm {
    /// Expands the key.
    pub fn new(key: &Key) -> Self {
        use aes::cipher::BlockCipherEncrypt;
        let cipher = Aes128::new(&key.0.into());
        let mut zero = ghash::Block::default();
        cipher.encrypt_block(&mut zero);
        let hash = GHash::new(&zero);
        zeroize::Zeroize::zeroize(zero.as_mut_slice());
        Self { cipher, hash }
    }

    /// Encrypts `text` in place and returns the tag of it and the associated data. With no text this is GMAC.
    pub fn seal(&self, vector: &[u8; 12], associated: &[&[u8]], text: &mut [u8]) -> Block {
        let (mask, counter) = self.counter(vector);
        apply(counter, text);
        self.tag(mask, associated, text)
    }

    /// Compares the tag, which may be cut short, and only then decrypts `text` in place. `false`: nothing was touched.
    #[must_use]
    pub fn open(&self, vector: &[u8; 12], associated: &[&[u8]], text: &mut [u8], tag: &[u8]) -> bool {
        let (mask, counter) = self.counter(vector);
        let expected = self.tag(mask, associated, text);
        // Shorter tags than 96 bits are none of this protocol.
        let expected = expected.get(..tag.len()).filter(|expected| expected.len() >= 12);
        let genuine = expected.is_some_and(|expected| expected.ct_eq(tag).into());
        if genuine {
            apply(counter, text);
        }
        genuine
    }

    /// Encrypts or decrypts without a tag: whoever can reach the octets can change the text unseen.
    pub fn apply_key_stream(&self, vector: &[u8; 12], text: &mut [u8]) {
        let (_, counter) = self.counter(vector);
        apply(counter, text);
    }

    /// The block that masks the tag, and the counter behind it.
    fn counter(&self, vector: &[u8; 12]) -> (Block, Counter<'_>) {
        let mut first = [0; 16];
        first[..12].copy_from_slice(vector);
        first[15] = 1;
        let mut counter = Counter::inner_iv_init(&self.cipher, &first.into());
        let mut mask = ghash::Block::default();
        counter.write_keystream_block(&mut mask);
        (mask.into(), counter)
    }

    fn tag(&self, mask: Block, associated: &[&[u8]], text: &[u8]) -> Block {
        let mut absorber = Absorber { hash: self.hash.clone(), pending: [0; 16], filled: 0 };
        let mut bits = 0_u64;
        for piece in associated {
            absorber.absorb(piece);
            bits += piece.len() as u64 * 8;
        }
        absorber.pad();
        absorber.absorb(text);
        absorber.pad();
        let mut lengths = [0; 16];
        lengths[..8].copy_from_slice(&bits.to_be_bytes());
        lengths[8..].copy_from_slice(&(text.len() as u64 * 8).to_be_bytes());
        absorber.hash.update(&[lengths.into()]);
        let mut tag: Block = absorber.hash.finalize().into();
        tag.iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
        tag
    }
}

fn apply(counter: Counter<'_>, text: &mut [u8]) {
    StreamCipherCoreWrapper::from_core(counter).apply_keystream(text);
}
