use core::ops::Range;

use super::EncodeError;

/// Writes octets into a slice, and counts what did not fit.
///
/// Nothing here fails on the way: when the slice is full the writer goes on counting, and [`finish`](Self::finish)
/// says how many octets were needed. A writer on an empty slice therefore measures. A writer on a
/// [`window`](Self::window) keeps the octets of that window only, so that a long encoding is sent in blocks by
/// producing it again.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut [u8],
    /// Octets in front of the window.
    from: usize,
    /// Place of the next octet in the slice; in front of the window it has wrapped to a place no slice has.
    place: usize,
}

impl<'a> Writer<'a> {
    /// Writes from the first octet of `out`.
    pub const fn new(out: &'a mut [u8]) -> Self {
        Self { out, from: 0, place: 0 }
    }

    /// Drops the first `from` octets and writes those that follow.
    pub const fn window(out: &'a mut [u8], from: usize) -> Self {
        Self { out, from, place: 0_usize.wrapping_sub(from) }
    }

    /// Octets that `encode` writes.
    pub fn measure(encode: impl FnOnce(&mut Writer<'_>)) -> usize {
        let mut writer = Writer::new(&mut []);
        encode(&mut writer);
        writer.total()
    }

    /// Octets said so far, kept or not.
    #[inline]
    pub const fn total(&self) -> usize {
        self.place.wrapping_add(self.from)
    }

    /// Octets kept in the slice.
    pub fn kept(&self) -> usize {
        self.total().saturating_sub(self.from).min(self.out.len())
    }

    /// Whether any of the next `length` octets would be kept. When not, [`skip`](Self::skip) saves producing them.
    pub fn wants(&self, length: usize) -> bool {
        let at = self.total();
        at.saturating_add(length) > self.from && at < self.from.saturating_add(self.out.len())
    }

    /// Which of the next `count` pieces of `length` octets each would be kept, wholly or in part.
    pub fn wanted(&self, length: usize, count: usize) -> Range<usize> {
        let (at, length) = (self.total(), length.max(1));
        let first = self.from.saturating_sub(at) / length;
        let end = self.from.saturating_add(self.out.len()).saturating_sub(at).div_ceil(length);
        first.min(count)..end.min(count)
    }

    /// Counts octets without saying them: only where [`wants`](Self::wants) said no.
    pub fn skip(&mut self, length: usize) {
        debug_assert!(length == 0 || !self.wants(length), "octets of the window are skipped");
        self.place = self.place.wrapping_add(length);
    }

    /// The number of octets written, or what was needed.
    pub fn finish(self) -> Result<usize, EncodeError> {
        let capacity = self.out.len();
        match self.total().saturating_sub(self.from) {
            written if written <= capacity => Ok(written),
            needed => Err(EncodeError::Full { needed, capacity }),
        }
    }

    /// These octets.
    #[inline]
    pub fn put(&mut self, octets: &[u8]) {
        match self.out.get_mut(self.place..).and_then(|out| out.get_mut(..octets.len())) {
            Some(out) => out.copy_from_slice(octets),
            None => self.put_partly(octets),
        }
        self.place = self.place.wrapping_add(octets.len());
    }

    /// These octets; the length is known when compiled.
    #[inline]
    pub fn put_array<const N: usize>(&mut self, octets: &[u8; N]) {
        match self.out.get_mut(self.place..).and_then(<[u8]>::first_chunk_mut) {
            Some(out) => *out = *octets,
            None => self.put_partly(octets),
        }
        self.place = self.place.wrapping_add(N);
    }

    /// A tag and the octets behind it.
    #[inline]
    pub(crate) fn put_tagged<const N: usize>(&mut self, tag: u8, content: &[u8; N]) {
        let out = self.out.get_mut(self.place..).and_then(<[u8]>::split_first_mut);
        match out.and_then(|(first, rest)| Some((first, rest.first_chunk_mut()?))) {
            Some((first, rest)) => {
                *first = tag;
                *rest = *content;
                self.place = self.place.wrapping_add(1 + N);
            }
            None => {
                self.put_array(&[tag]);
                self.put_array(content);
            }
        }
    }

    /// The octets of an edge of the window, or none.
    #[cold]
    #[inline(never)]
    fn put_partly(&mut self, octets: &[u8]) {
        let at = self.total();
        let start = at.max(self.from);
        let end = at.saturating_add(octets.len()).min(self.from.saturating_add(self.out.len()));
        if start < end
            && let Some(kept) = octets.get(start - at..end - at)
            && let Some(out) = self.out.get_mut(start - self.from..end - self.from)
        {
            out.copy_from_slice(kept);
        }
    }

    /// One octet.
    #[inline]
    pub fn u8(&mut self, value: u8) {
        self.put_array(&[value]);
    }

    /// Two octets, most significant first.
    #[inline]
    pub fn u16(&mut self, value: u16) {
        self.put_array(&value.to_be_bytes());
    }

    /// Four octets, most significant first.
    #[inline]
    pub fn u32(&mut self, value: u32) {
        self.put_array(&value.to_be_bytes());
    }

    /// A length in as few octets as it takes. A length is no count of memory: it ends at `u32::MAX`.
    #[inline]
    pub fn length(&mut self, length: usize) {
        match length {
            ..0x80 => self.u8(length as u8),
            0x80..0x100 => self.put_array(&[0x81, length as u8]),
            0x100..0x1_0000 => self.put_array(&[0x82, (length >> 8) as u8, length as u8]),
            _ => {
                let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
                if a == 0 { self.put_array(&[0x83, b, c, d]) } else { self.put_array(&[0x84, a, b, c, d]) }
            }
        }
    }

    /// A length and as many octets.
    #[inline]
    pub fn octet_string(&mut self, octets: &[u8]) {
        self.length(octets.len());
        self.put(octets);
    }

    /// 00 or 01.
    #[inline]
    pub fn flag(&mut self, flag: bool) {
        self.u8(u8::from(flag));
    }

    /// A tag, the length of what `encode` writes, and that.
    pub fn nested(&mut self, tag: u8, encode: impl Fn(&mut Writer<'_>)) {
        let length = Writer::measure(&encode);
        self.u8(tag);
        self.length(length);
        encode(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(writer: &mut Writer<'_>) {
        writer.u8(1);
        writer.octet_string(&[2; 200]);
        writer.u32(0x0304_0506);
    }

    #[test]
    fn any_window_shows_the_octets_of_the_whole() {
        let mut whole = [0; 300];
        let mut writer = Writer::new(&mut whole);
        encode(&mut writer);
        let length = writer.finish().unwrap();
        assert_eq!(length, Writer::measure(encode));
        for from in 0..length + 3 {
            for size in [0, 1, 2, 3, 7, 100, 250] {
                let mut out = [0; 250];
                let mut writer = Writer::window(&mut out[..size], from);
                encode(&mut writer);
                let kept = writer.kept();
                let expected = whole[..length].get(from..).unwrap_or_default();
                assert_eq!(out[..kept], expected[..size.min(expected.len())], "window of {size} from {from}");
            }
        }
    }

    #[test]
    fn what_is_wanted_of_equal_pieces_is_what_shows_in_the_window() {
        for from in 0..60 {
            for size in [1, 5, 9, 40] {
                let mut out = [0; 40];
                let mut writer = Writer::window(&mut out[..size], from);
                writer.u16(0xFFFF);
                let wanted = writer.wanted(7, 6);
                writer.skip(7 * wanted.start);
                wanted.clone().for_each(|piece| writer.put(&[piece as u8 + 1; 7]));
                writer.skip(7 * (6 - wanted.end));
                assert_eq!(writer.total(), 44);
                let whole = |at: usize| if at < 2 { 0xFF } else { (at as u8 - 2) / 7 + 1 };
                let expected: std::vec::Vec<u8> = (from..44.min(from + size)).map(whole).collect();
                assert_eq!(out[..expected.len()], expected, "window of {size} from {from}: {wanted:?}");
            }
        }
    }

    #[test]
    fn a_full_slice_tells_what_was_needed() {
        let mut out = [0; 3];
        let mut writer = Writer::new(&mut out);
        encode(&mut writer);
        assert_eq!(writer.finish(), Err(EncodeError::Full { needed: 207, capacity: 3 }));
    }
}
