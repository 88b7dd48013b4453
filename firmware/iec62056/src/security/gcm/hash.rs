//! GHASH, as POLYVAL with every block turned round (RFC 8452, appendix A).

use polyval::Polyval;
use polyval::universal_hash::UniversalHash;

/// Blocks that are hashed in one go.
const BATCH: usize = 8;

/// The key of a hash.
pub(super) struct HashKey(Polyval);

/// A hash on its way. It takes whole blocks, a batch of them at a time.
pub(super) struct Hash<'p> {
    polyval: &'p mut Polyval,
    batch: [polyval::Block; BATCH],
    /// Blocks in the batch.
    waiting: usize,
    sum: Sum,
}

/// How far a hash is, between two pieces of what it is over. Without the key it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, zeroize::Zeroize)]
pub(crate) struct Sum {
    /// What is to be added to the next block.
    carry: u128,
    /// The block begun, with zeros behind.
    begun: [u8; 16],
    /// Octets in the block begun.
    filled: usize,
}

impl HashKey {
    /// Of the block that the cipher makes of zeros.
    pub(super) fn new(zero: &[u8; 16]) -> Self {
        // Turned round, and times x: what GHASH calls a field element POLYVAL calls so.
        let key = u128::from_be_bytes(*zero);
        let reduced = key << 1 ^ (0_u128.wrapping_sub(key >> 127) & (0xC2 << 120 | 1));
        let mut key = polyval::Key::from(reduced.to_le_bytes());
        let polyval = Polyval::new(&key);
        zeroize::Zeroize::zeroize(key.as_mut_slice());
        Self(polyval)
    }

    /// Takes up a hash that has come so far, and hands it out; how far it is then.
    pub(super) fn over(&self, sum: Sum, take: impl FnOnce(&mut Hash<'_>)) -> Sum {
        let mut polyval = self.0.clone();
        let batch = [polyval::Block::default(); BATCH];
        let mut hash = Hash { polyval: &mut polyval, batch, waiting: 0, sum };
        take(&mut hash);
        hash.flush();
        // What has taken nothing is zero, and the carry stands; what has taken a block has used the carry.
        let Sum { carry, begun, filled } = hash.sum;
        Sum { carry: carry ^ u128::from_le_bytes(polyval.finalize().into()), begun, filled }
    }
}

impl Sum {
    /// The hash, behind its end.
    pub(super) fn value(self) -> [u8; 16] {
        self.carry.to_be_bytes()
    }
}

impl Hash<'_> {
    #[inline]
    pub(super) fn absorb(&mut self, mut octets: &[u8]) {
        if self.sum.filled > 0 {
            let taken = octets.len().min(16 - self.sum.filled);
            let (head, rest) = octets.split_at(taken);
            self.begin_block(head);
            if self.sum.filled < 16 {
                return;
            }
            self.pad();
            octets = rest;
        }
        let (mut blocks, rest) = octets.as_chunks();
        while !blocks.is_empty() {
            let room = self.room();
            let (now, then) = blocks.split_at(blocks.len().min(room.len()));
            let pairs = room.iter_mut().zip(now);
            pairs.for_each(|(room, block)| room.0 = u128::from_be_bytes(*block).to_le_bytes());
            self.took(now.len());
            blocks = then;
        }
        self.begin_block(rest);
    }

    /// Puts octets into the block begun; there is room for them. A few octets are no work for a call that copies any number.
    #[inline]
    fn begin_block(&mut self, octets: &[u8]) {
        let room = self.sum.begun.iter_mut().skip(self.sum.filled);
        room.zip(octets).for_each(|(room, octet)| *room |= octet);
        self.sum.filled += octets.len();
    }

    /// Fills the block begun with zeros.
    #[inline]
    pub(super) fn pad(&mut self) {
        if self.sum.filled > 0 {
            let block = u128::from_be_bytes(self.sum.begun);
            (self.sum.begun, self.sum.filled) = ([0; 16], 0);
            self.push(block);
        }
    }

    #[inline]
    fn push(&mut self, block: u128) {
        self.batch[self.waiting].0 = block.to_le_bytes();
        self.took(1);
    }

    /// Room for whole blocks, turned round; there is always some.
    #[inline]
    pub(super) fn room(&mut self) -> &mut [polyval::Block] {
        debug_assert!(self.sum.filled == 0, "blocks come between two halves of one");
        &mut self.batch[self.waiting..]
    }

    /// So many blocks were put into the room.
    #[inline]
    pub(super) fn took(&mut self, blocks: usize) {
        if let Some(block) = self.batch.get_mut(self.waiting).filter(|_| self.sum.carry != 0) {
            block.0 = (u128::from_le_bytes(block.0) ^ core::mem::take(&mut self.sum.carry)).to_le_bytes();
        }
        self.waiting += blocks;
        if self.waiting == BATCH {
            self.flush();
        }
    }

    // On its own: within the loop over the key stream each call would have to save the wide registers.
    #[inline(never)]
    fn flush(&mut self) {
        self.polyval.update(&self.batch[..self.waiting]);
        self.waiting = 0;
    }

    /// Ends the hash with both lengths (octets).
    #[inline]
    pub(super) fn end(&mut self, associated: usize, text: usize) {
        self.pad();
        self.push((associated as u128) << 67 | (text as u128) << 3);
    }
}
