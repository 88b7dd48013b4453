//! AES-GCM made of the block cipher and POLYVAL of RustCrypto.

mod hash;
mod stream;

use core::fmt;

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use subtle::ConstantTimeEq;

use super::Key;
use hash::HashKey;
pub(super) use hash::Sum;
use stream::{KeyStream, TEXT, Transform};

type Block = [u8; 16];

/// AES-GCM with a key of 128 bits and an initialisation vector of 96.
///
/// Associated data may come in pieces, and a text in one buffer and out in another: an APDU that is authenticated only is all
/// associated data, and none is copied for it.
/// Source: NIST SP 800-38D.
pub struct Gcm {
    cipher: Aes128,
    hash: HashKey,
}

/// Associated data, hashed: what many messages have in common is hashed once.
#[derive(zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
pub(super) struct Associated {
    sum: Sum,
    octets: usize,
}

impl fmt::Debug for Gcm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Gcm(kept secret)")
    }
}

impl fmt::Debug for Associated {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Associated({} octets, kept secret)", self.octets)
    }
}

impl Gcm {
    /// Expands the key.
    pub fn new(key: &Key) -> Self {
        let cipher = Aes128::new(&key.0.into());
        let mut zero = aes::Block::default();
        cipher.encrypt_block(&mut zero);
        let hash = HashKey::new(&zero.0);
        zeroize::Zeroize::zeroize(zero.as_mut_slice());
        Self { cipher, hash }
    }

    /// Encrypts `text` into `out`, which is as long, and returns the tag of it and the associated data. With no text this is
    /// GMAC.
    pub fn seal(&self, vector: &[u8; 12], associated: &[&[u8]], text: &[u8], out: &mut [u8]) -> Block {
        self.seal_with(vector, &self.associated(associated), text, out)
    }

    /// Decrypts `text` into `out`, which is as long, and compares the tag, which may be cut short. `false`: the text is not
    /// genuine, and `out` is wiped.
    #[must_use]
    pub fn open(&self, vector: &[u8; 12], associated: &[&[u8]], text: &[u8], tag: &[u8], out: &mut [u8]) -> bool {
        self.open_with(vector, &self.associated(associated), text, tag, out)
    }

    /// Encrypts or decrypts without a tag: whoever can reach the octets can change the text unseen.
    pub fn apply_key_stream(&self, vector: &[u8; 12], text: &mut [u8]) {
        self.apply_key_stream_at(vector, 0, text);
    }

    pub(super) fn seal_with(&self, vector: &[u8; 12], associated: &Associated, text: &[u8], out: &mut [u8]) -> Block {
        self.transform::<false>(vector, associated, text, out)
    }

    #[must_use]
    pub(super) fn open_with(
        &self,
        vector: &[u8; 12],
        associated: &Associated,
        text: &[u8],
        tag: &[u8],
        out: &mut [u8],
    ) -> bool {
        let expected = self.transform::<true>(vector, associated, text, out);
        // Shorter tags than 96 bits are none of this protocol.
        let expected = expected.get(..tag.len()).filter(|expected| expected.len() >= 12);
        let genuine = expected.is_some_and(|expected| expected.ct_eq(tag).into());
        if !genuine {
            out.fill(0);
        }
        genuine
    }

    /// The same for a piece of a text that stands at this place in it.
    pub(super) fn apply_key_stream_at(&self, vector: &[u8; 12], place: usize, piece: &mut [u8]) {
        self.cipher.encrypt_with_backend(KeyStream::new(vector, TEXT + place, piece));
    }

    pub(super) fn associated(&self, pieces: &[&[u8]]) -> Associated {
        let sum = self.hash.over(Sum::default(), |hash| {
            pieces.iter().for_each(|piece| hash.absorb(piece));
            hash.pad();
        });
        Associated { sum, octets: pieces.iter().map(|piece| piece.len()).sum() }
    }

    /// In one pass, so that what is hashed is at hand. `OPENS`: the text is hashed as it comes, otherwise as it goes.
    fn transform<const OPENS: bool>(
        &self,
        vector: &[u8; 12],
        associated: &Associated,
        text: &[u8],
        out: &mut [u8],
    ) -> Block {
        let mut mask = [0; 16];
        let sum = self.hash.over(associated.sum, |hash| {
            self.cipher.encrypt_with_backend(Transform::<OPENS>::new(vector, text, out, hash, &mut mask));
            hash.end(associated.octets, text.len());
        });
        masked(sum.value(), mask)
    }

    /// The sum with these pieces behind it.
    pub(super) fn absorbed(&self, sum: Sum, pieces: &[&[u8]]) -> Sum {
        self.hash.over(sum, |hash| pieces.iter().for_each(|piece| hash.absorb(piece)))
    }

    /// The sum behind the end of the associated data.
    pub(super) fn padded(&self, sum: Sum) -> Sum {
        self.hash.over(sum, |hash| {
            hash.pad();
        })
    }

    /// The tag of a sum over so many octets of associated data and of text.
    pub(super) fn tag_of(&self, vector: &[u8; 12], sum: Sum, associated: usize, text: usize) -> Block {
        let mut mask = [0; 16];
        self.cipher.encrypt_with_backend(KeyStream::new(vector, 0, &mut mask));
        masked(self.hash.over(sum, |hash| hash.end(associated, text)).value(), mask)
    }
}

fn masked(mut block: Block, mask: Block) -> Block {
    block.iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
    block
}
