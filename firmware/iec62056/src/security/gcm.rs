use core::fmt;

use aes::Aes128;
use aes::cipher::common::InnerIvInit;
use aes::cipher::{KeyInit, StreamCipherCoreWrapper};
use ctr::cipher::{StreamCipher, StreamCipherCore, StreamCipherSeek};
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

/// How far a hash is, between two pieces of what it is over. Without the key it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sum {
    /// The block begun, added to what was hashed before it.
    pending: Block,
    /// Octets in the block begun.
    filled: usize,
}

/// Associated data or text on its way into the hash, which takes whole blocks.
struct Absorber {
    hash: GHash,
    /// The hash has taken blocks since the sum was taken up.
    moved: bool,
    sum: Sum,
}

impl Absorber {
    fn absorb(&mut self, mut octets: &[u8]) {
        let Sum { pending, filled } = &mut self.sum;
        // The block that a sum stands in is added to, and so is the first one behind a sum that was taken up.
        if *filled > 0 || !self.moved {
            let taken = octets.len().min(pending.len() - *filled);
            let (head, rest) = octets.split_at(taken);
            pending[*filled..].iter_mut().zip(head).for_each(|(octet, new)| *octet ^= new);
            *filled += taken;
            octets = rest;
            if *filled < pending.len() {
                return;
            }
            self.flush();
        }
        let (blocks, rest) = octets.split_at(octets.len() - octets.len() % 16);
        self.hash.update_padded(blocks);
        self.sum.pending[..rest.len()].copy_from_slice(rest);
        self.sum.filled = rest.len();
    }

    fn flush(&mut self) {
        self.hash.update(&[self.sum.pending.into()]);
        (self.sum, self.moved) = (Sum::default(), true);
    }

    /// Fills the block begun with zeros.
    fn pad(&mut self) {
        if self.sum.filled > 0 {
            self.flush();
        }
    }

    /// Ends the hash with both lengths (octets).
    fn finish(mut self, associated: usize, text: usize) -> Block {
        self.pad();
        let mut lengths = [0; 16];
        lengths[..8].copy_from_slice(&(associated as u64 * 8).to_be_bytes());
        lengths[8..].copy_from_slice(&(text as u64 * 8).to_be_bytes());
        self.absorb(&lengths);
        self.hash.finalize().into()
    }

    fn sum(self) -> Sum {
        let Self { hash, moved, mut sum } = self;
        if moved {
            let hashed: Block = hash.finalize().into();
            sum.pending.iter_mut().zip(hashed).for_each(|(octet, hashed)| *octet ^= hashed);
        }
        sum
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
        let mut absorber = self.absorber(Sum::default());
        let mut octets = 0;
        for piece in associated {
            absorber.absorb(piece);
            octets += piece.len();
        }
        absorber.pad();
        absorber.absorb(text);
        masked(absorber.finish(octets, text.len()), mask)
    }

    fn absorber(&self, sum: Sum) -> Absorber {
        Absorber { hash: self.hash.clone(), moved: false, sum }
    }

    /// The sum with these pieces behind it.
    pub(super) fn absorbed(&self, sum: Sum, pieces: &[&[u8]]) -> Sum {
        let mut absorber = self.absorber(sum);
        pieces.iter().for_each(|piece| absorber.absorb(piece));
        absorber.sum()
    }

    /// The sum behind the end of the associated data.
    pub(super) fn padded(&self, sum: Sum) -> Sum {
        let mut absorber = self.absorber(sum);
        absorber.pad();
        absorber.sum()
    }

    /// The tag of a sum over so many octets of associated data and of text.
    pub(super) fn tag_of(&self, vector: &[u8; 12], sum: Sum, associated: usize, text: usize) -> Block {
        masked(self.absorber(sum).finish(associated, text), self.counter(vector).0)
    }

    /// Encrypts or decrypts a piece of a text that stands at this place in it.
    pub(super) fn apply_key_stream_at(&self, vector: &[u8; 12], place: usize, piece: &mut [u8]) {
        let (_, counter) = self.counter(vector);
        let mut stream = StreamCipherCoreWrapper::from_core(counter);
        // The first block of the stream masks the tag.
        stream.seek(16 + place as u64);
        stream.apply_keystream(piece);
    }
}

fn masked(mut block: Block, mask: Block) -> Block {
    block.iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
    block
}

fn apply(counter: Counter<'_>, text: &mut [u8]) {
    StreamCipherCoreWrapper::from_core(counter).apply_keystream(text);
}
