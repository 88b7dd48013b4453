//! A ciphered APDU that is made in pieces, for a sender that has no room for the whole.

use super::ciphered::TAG_LENGTH;
use super::gcm::Sum;
use super::protection::vector;
use super::{Envelope, Protection, SecurityControl, SecurityError, SystemTitle};
use crate::octets::Writer;

/// Octets in front of the text: tag, fields of the envelope, length, security control, counter.
const LONGEST_HEAD: usize = 64;

/// How far an APDU is that is protected in pieces.
///
/// Octets that were handed out are said again on demand, with the same counter. That is safe only while the text is the same:
/// a key stream over two texts gives both away. So whoever sends a piece again first makes everything again that was sent
/// behind it, and compares: two sealings that are equal were made of equal octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sealing {
    head: [u8; LONGEST_HEAD],
    head_length: usize,
    /// Octets of the text.
    length: usize,
    control: SecurityControl,
    vector: [u8; 12],
    /// Over the associated data and the text so far.
    sum: Sum,
    /// Octets of associated data without the text.
    associated: usize,
    /// Octets of the text that are in the sum.
    summed: usize,
    /// The tag, once the whole text is in the sum.
    tag: Option<[u8; TAG_LENGTH]>,
}

/// The text is not what it was when it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Changed;

impl Protection {
    /// Begins to protect a plain APDU of so many octets, whose tag is `plain_tag`; else as [`Protection::protect`].
    pub(crate) fn seal(
        &self,
        envelope: &Envelope<'_>,
        control: SecurityControl,
        title: &SystemTitle,
        counter: u32,
        (plain_tag, length): (u8, usize),
    ) -> Result<Sealing, SecurityError> {
        self.check(control)?;
        let tag_length = if control.is_authenticated() { TAG_LENGTH } else { 0 };
        let mut head = [0; LONGEST_HEAD];
        let mut writer = Writer::new(&mut head);
        envelope.put_head(&mut writer, plain_tag)?;
        writer.length(5 + length + tag_length);
        writer.u8(control.0);
        writer.u32(counter);
        let head_length = writer.finish()?;
        let (sum, associated) = self.with_associated(control, envelope.head(), &[], |data| {
            (self.cipher().absorbed(Sum::default(), data), data.iter().map(|piece| piece.len()).sum())
        });
        // What is only authenticated is all associated data.
        let sum = if control.is_encrypted() { self.cipher().padded(sum) } else { sum };
        let vector = vector(title, counter);
        Ok(Sealing { head, head_length, length, control, vector, sum, associated, summed: 0, tag: None })
    }
}

impl Sealing {
    /// Octets of the whole.
    pub(crate) fn total(&self) -> usize {
        self.head_length + self.length + if self.control.is_authenticated() { TAG_LENGTH } else { 0 }
    }

    /// Writes the octets from `offset` on that fill `out`; `produce` writes the whole plain APDU. Pieces come in order, each as
    /// often as it is wanted.
    pub(crate) fn piece(
        &mut self,
        keys: &Protection,
        offset: usize,
        out: &mut [u8],
        produce: impl Fn(&mut Writer<'_>),
    ) -> Result<(), Changed> {
        let head = self.head.get(..self.head_length).ok_or(Changed)?;
        let mut writer = Writer::window(out, offset);
        writer.put(head);
        produce(&mut writer);
        if writer.total() != self.head_length + self.length {
            return Err(Changed);
        }
        // The text in this piece: from where in it, and where in the piece.
        let within = |place: usize| place.saturating_sub(offset).min(out.len());
        let (start, end) = (within(self.head_length), within(self.head_length + self.length));
        let place = (offset + start).saturating_sub(self.head_length).min(self.length);
        let text = out.get_mut(start..end).ok_or(Changed)?;
        if self.control.is_encrypted() {
            keys.cipher().apply_key_stream_at(&self.vector, place, text);
        }
        if self.control.is_authenticated() {
            self.absorb(keys, place, text)?;
            self.put_tag(offset, out);
        }
        Ok(())
    }

    /// Takes what is new of a text that stands at this place into the sum.
    fn absorb(&mut self, keys: &Protection, place: usize, text: &[u8]) -> Result<(), Changed> {
        // A gap could never be closed.
        let known = self.summed.checked_sub(place).ok_or(Changed)?;
        if let Some(new) = text.get(known..).filter(|new| !new.is_empty()) {
            self.sum = keys.cipher().absorbed(self.sum, &[new]);
            self.summed += new.len();
        }
        if self.summed == self.length && self.tag.is_none() {
            let (associated, text) = if self.control.is_encrypted() {
                (self.associated, self.length)
            } else {
                // The end of the text is that of the associated data.
                self.sum = keys.cipher().padded(self.sum);
                (self.associated + self.length, 0)
            };
            let tag = keys.cipher().tag_of(&self.vector, self.sum, associated, text);
            self.tag = tag.first_chunk().copied();
        }
        Ok(())
    }

    fn put_tag(&self, offset: usize, out: &mut [u8]) {
        let Some(tag) = &self.tag else { return };
        let begin = self.head_length + self.length;
        for (place, octet) in tag.iter().enumerate() {
            let place = (begin + place).checked_sub(offset);
            if let Some(into) = place.and_then(|place| out.get_mut(place)) {
                *into = *octet;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;
    use crate::security::{Ciphered, GeneralHead, Key, KeyInformation};

    const TITLE: SystemTitle = SystemTitle(*b"KAM\0\0\0\0\x07");

    fn keys() -> Protection {
        Protection::new(0, &Key([0x11; 16]), &Key([0x22; 16]))
    }

    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|n| if n == 0 { 0xC4 } else { (n * 7) as u8 }).collect()
    }

    fn in_pieces(
        sealing: &mut Sealing,
        sizes: impl Fn(usize) -> usize,
        produce: impl Fn(&mut Writer<'_>),
    ) -> Result<Vec<u8>, Changed> {
        let mut made = Vec::new();
        while made.len() < sealing.total() {
            let mut piece = vec![0xEE; sizes(made.len()).min(sealing.total() - made.len())];
            sealing.piece(&keys(), made.len(), &mut piece, &produce)?;
            made.extend_from_slice(&piece);
        }
        Ok(made)
    }

    #[test]
    fn pieces_of_any_size_are_the_apdu_that_is_protected_at_once() {
        let head = GeneralHead { transaction_id: &[1, 2], originator: &TITLE.0, ..GeneralHead::default() };
        let envelopes = [
            Envelope::Global,
            Envelope::Dedicated,
            Envelope::GeneralGlobal(&TITLE.0),
            Envelope::GeneralGlobal(&[]),
            Envelope::General(head, Some(KeyInformation::Identified(0))),
        ];
        for envelope in envelopes {
            for control in [SecurityControl::BOTH, SecurityControl::AUTHENTICATED, SecurityControl::ENCRYPTED] {
                for length in [1, 2, 15, 16, 17, 100, 127, 128, 300, 1000] {
                    let text = text(length);
                    let mut whole = vec![0; length + 100];
                    let total = keys().protect(&envelope, control, &TITLE, 9, &text, &mut whole).unwrap();
                    for size in [1, 3, 15, 16, 17, 31, 64, 200, 2000] {
                        let mut sealing =
                            keys().seal(&envelope, control, &TITLE, 9, (text[0], length)).expect("the head has room");
                        assert_eq!(sealing.total(), total);
                        let made = in_pieces(&mut sealing, |_| size, |writer| writer.put(&text)).unwrap();
                        assert_eq!(made, whole[..total], "{envelope:?} {control:?} {length} in {size}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_piece_is_said_again_and_ends_in_an_equal_sealing() {
        let text = text(500);
        let produce = |writer: &mut Writer<'_>| writer.put(&text);
        let begun = keys().seal(&Envelope::Global, SecurityControl::BOTH, &TITLE, 3, (0xC4, 500)).unwrap();
        let mut sealing = begun;
        let whole = in_pieces(&mut sealing, |_| 37, produce).unwrap();
        for offset in [0, 5, 36, 37, 200, 490] {
            let mut piece = [0; 30];
            let length = 30.min(whole.len() - offset);
            sealing.piece(&keys(), offset, &mut piece[..length], produce).unwrap();
            assert_eq!(piece[..length], whole[offset..offset + length]);
        }
        let mut again = begun;
        assert_eq!(in_pieces(&mut again, |_| 61, produce).unwrap(), whole);
        assert_eq!(again, sealing);
        let mut other = begun;
        let changed = |writer: &mut Writer<'_>| {
            writer.put(&text[..499]);
            writer.u8(!text[499]);
        };
        assert_ne!(in_pieces(&mut other, |_| 37, changed).unwrap(), whole);
        assert_ne!(other, sealing, "one octet is another");
    }

    #[test]
    fn a_text_of_another_length_and_a_gap_are_refused() {
        let begin = || keys().seal(&Envelope::Global, SecurityControl::BOTH, &TITLE, 3, (0xC4, 50)).unwrap();
        let text = text(51);
        let mut out = [0; 20];
        for length in [0, 49, 51] {
            let made = begin().piece(&keys(), 0, &mut out, |writer| writer.put(&text[..length]));
            assert_eq!(made, Err(Changed));
        }
        assert_eq!(begin().piece(&keys(), 30, &mut out, |writer| writer.put(&text[..50])), Err(Changed));
        // What has no service-specific form, and what has no protection, is not begun.
        let refused = |control, tag| keys().seal(&Envelope::Global, control, &TITLE, 3, (tag, 50)).is_err();
        assert!(refused(SecurityControl::BOTH, 0xD8) && refused(SecurityControl(0), 0xC4));
        let long = GeneralHead { transaction_id: &[1; 100], ..GeneralHead::default() };
        assert!(keys().seal(&Envelope::General(long, None), SecurityControl::BOTH, &TITLE, 3, (0xC4, 9)).is_err());
    }

    #[test]
    fn what_was_made_in_pieces_opens() {
        let text = text(700);
        let envelope = Envelope::GeneralGlobal(&TITLE.0);
        let mut sealing = keys().seal(&envelope, SecurityControl::BOTH, &TITLE, 77, (0xC4, 700)).unwrap();
        let made = in_pieces(&mut sealing, |at| 1 + at % 90, |writer| writer.put(&text)).unwrap();
        let mut out = [0; 800];
        let opened = keys().unprotect(&Ciphered::decode(&made).unwrap(), &TITLE, &mut out).unwrap();
        assert_eq!((opened.plain, opened.counter), (&text[..], 77));
    }
}
