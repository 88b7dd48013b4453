//! The key stream of GCM, and what it is laid over.
//!
//! Each pass is a closure that the cipher calls from where it may use the instructions it has found: the loops here are compiled
//! with them. Where AES is an instruction, blocks that are made one by one overlap in the processor by themselves, and need
//! no detour through memory; in software two or four blocks cost as much as one.

use core::iter::once;

use aes::cipher::typenum::Unsigned;
use aes::cipher::{BlockCipherEncBackend, BlockCipherEncClosure, BlockSizeUser, ParBlocks, ParBlocksSizeUser, consts};

use super::Block;
use super::hash::Hash;

/// A cipher that makes no more blocks than these at once works in software.
const IN_SOFTWARE: usize = 4;
/// The counter of the first block of the key stream, which masks the tag.
const MASK: u32 = 1;
/// The place in the key stream at which the text begins.
pub(super) const TEXT: usize = 16;

/// The counter blocks of one message: vector and zeros.
#[derive(Clone, Copy)]
struct Counter(u128);

impl Counter {
    fn new(vector: &[u8; 12]) -> Self {
        let mut block = [0; 16];
        block[..12].copy_from_slice(vector);
        Self(u128::from_be_bytes(block))
    }

    fn block(self, number: u32) -> aes::Block {
        (self.0 | u128::from(number)).to_be_bytes().into()
    }

    /// Hands every place its block of the key stream, in order.
    #[inline(always)]
    fn stream<B: BlockCipherEncBackend<BlockSize = consts::U16>, P>(
        self,
        backend: &B,
        first: u32,
        places: impl Iterator<Item = P>,
        mut each: impl FnMut(P, Block),
    ) {
        let mut number = first;
        let mut next = || {
            let block = self.block(number);
            number = number.wrapping_add(1);
            block
        };
        if <B as ParBlocksSizeUser>::ParBlocksSize::USIZE > IN_SOFTWARE {
            for place in places {
                let mut block = next();
                backend.encrypt_block((&mut block).into());
                each(place, block.0);
            }
            return;
        }
        let mut places = places.peekable();
        while places.peek().is_some() {
            let mut blocks = ParBlocks::<B>::default();
            blocks.iter_mut().for_each(|block| *block = next());
            backend.encrypt_par_blocks((&mut blocks).into());
            blocks.iter().zip(&mut places).for_each(|(block, place)| each(place, block.0));
        }
    }
}

/// Encrypts or decrypts a text and hashes it on the way.
pub(super) struct Transform<'t, 'p, const OPENS: bool> {
    counter: Counter,
    text: &'t [u8],
    out: &'t mut [u8],
    hash: &'t mut Hash<'p>,
    mask: &'t mut Block,
}

impl<'t, 'p, const OPENS: bool> Transform<'t, 'p, OPENS> {
    pub(super) fn new(
        vector: &[u8; 12],
        text: &'t [u8],
        out: &'t mut [u8],
        hash: &'t mut Hash<'p>,
        mask: &'t mut Block,
    ) -> Self {
        Self { counter: Counter::new(vector), text, out, hash, mask }
    }
}

impl<const OPENS: bool> BlockSizeUser for Transform<'_, '_, OPENS> {
    type BlockSize = consts::U16;
}

impl<const OPENS: bool> BlockCipherEncClosure for Transform<'_, '_, OPENS> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = Self::BlockSize>>(self, backend: &B) {
        let Self { counter, text, out, hash, mask } = self;
        counter.stream(backend, MASK, once(mask), |mask, stream| *mask = stream);
        let mut number = MASK + 1;
        let (mut text, text_end) = text.as_chunks();
        let (mut out, out_end) = out.as_chunks_mut();
        loop {
            let room = hash.room();
            let count = room.len().min(text.len()).min(out.len());
            if count == 0 {
                break;
            }
            let (text_now, text_then) = text.split_at(count);
            let (out_now, out_then) = out.split_at_mut(count);
            let places = text_now.iter().zip(out_now).zip(room);
            counter.stream(backend, number, places, |((text, out), room), stream| {
                let before: Block = *text;
                let after: Block = core::array::from_fn(|at| before[at] ^ stream[at]);
                *out = after;
                let mut turned = if OPENS { before } else { after };
                turned.reverse();
                room.0 = turned;
            });
            hash.took(count);
            number = number.wrapping_add(count as u32);
            (text, out) = (text_then, out_then);
        }
        if !text_end.is_empty() {
            counter.stream(backend, number, once(&mut *out_end), |out, stream| {
                let octets = text_end.iter().zip(stream);
                out.iter_mut().zip(octets).for_each(|(out, (text, stream))| *out = text ^ stream);
            });
            hash.absorb(if OPENS { text_end } else { out_end });
        }
    }
}

/// Lays a piece of the key stream over octets.
pub(super) struct KeyStream<'t> {
    counter: Counter,
    place: usize,
    piece: &'t mut [u8],
}

impl<'t> KeyStream<'t> {
    /// The piece that begins at this place of the key stream.
    pub(super) fn new(vector: &[u8; 12], place: usize, piece: &'t mut [u8]) -> Self {
        Self { counter: Counter::new(vector), place, piece }
    }
}

impl BlockSizeUser for KeyStream<'_> {
    type BlockSize = consts::U16;
}

impl BlockCipherEncClosure for KeyStream<'_> {
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = Self::BlockSize>>(self, backend: &B) {
        let Self { counter, place, piece } = self;
        let mut number = MASK.wrapping_add((place / 16) as u32);
        // The first block may be begun, and the last break off.
        let (begun, rest) = piece.split_at_mut(piece.len().min((16 - place % 16) % 16));
        if !begun.is_empty() {
            counter.stream(backend, number, once(begun), |begun, stream| lay(&stream[place % 16..], begun));
            number = number.wrapping_add(1);
        }
        let (blocks, end) = rest.as_chunks_mut();
        let count = blocks.len();
        counter.stream(backend, number, blocks.iter_mut(), |block: &mut Block, stream| {
            *block = core::array::from_fn(|at| block[at] ^ stream[at]);
        });
        let number = number.wrapping_add(count as u32);
        counter.stream(backend, number, Some(end).filter(|end| !end.is_empty()).into_iter(), |end, stream| {
            lay(&stream, end);
        });
    }
}

fn lay(stream: &[u8], octets: &mut [u8]) {
    octets.iter_mut().zip(stream).for_each(|(octet, stream)| *octet ^= stream);
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use aes::cipher::inout::InOut;

    use super::*;

    /// A cipher that adds a number, and makes so many blocks at once.
    macro_rules! backend {
        ($name:ident, $blocks:ident) => {
            struct $name;

            impl BlockSizeUser for $name {
                type BlockSize = consts::U16;
            }

            impl ParBlocksSizeUser for $name {
                type ParBlocksSize = consts::$blocks;
            }

            impl BlockCipherEncBackend for $name {
                fn encrypt_block(&self, mut block: InOut<'_, '_, aes::Block>) {
                    let text = u128::from_be_bytes(block.get_in().0);
                    *block.get_out() = text.wrapping_mul(3).to_be_bytes().into();
                }
            }
        };
    }

    backend!(One, U1);
    backend!(Two, U2);
    backend!(Four, U4);
    backend!(Eight, U8);

    #[test]
    fn the_stream_is_the_same_however_many_blocks_are_made_at_once() {
        fn stream(
            backend: &impl BlockCipherEncBackend<BlockSize = consts::U16>,
            first: u32,
            count: usize,
        ) -> Vec<u128> {
            let mut blocks = Vec::new();
            Counter::new(&[9; 12]).stream(backend, first, 0..count, |_, block| blocks.push(u128::from_be_bytes(block)));
            blocks
        }
        for first in [1, 2, 77, u32::MAX - 2] {
            for count in 0..20 {
                let base = u128::from_be_bytes([9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 0, 0]);
                let number = |place: usize| u128::from(first.wrapping_add(place as u32));
                let expected: Vec<u128> = (0..count).map(|place| (base | number(place)).wrapping_mul(3)).collect();
                assert_eq!(stream(&One, first, count), expected);
                assert_eq!(stream(&Two, first, count), expected);
                assert_eq!(stream(&Four, first, count), expected);
                assert_eq!(stream(&Eight, first, count), expected);
            }
        }
    }
}
