//! Finds frames in a stream of octets: by their length, never by looking for flags inside (IEC 62056-46).

use super::frame::{FLAG, Frame, FrameError, Layout};

/// Collects octets until a frame with right check sequences stands between two flags.
///
/// `N` is the room for one frame without its opening flag. A header that fails its check is given up at once, and the
/// search goes on right behind the flag that opened it: no octet of a good frame is lost to a bad one.
#[derive(Debug, Clone)]
pub struct Delimiter<const N: usize> {
    octets: [u8; N],
    /// Octets that stand in the buffer since the flag.
    filled: usize,
    /// A flag was seen, what follows may be a frame.
    opened: bool,
    header_right: bool,
    /// The frame at the front of the buffer, complete and right.
    found: Option<Layout>,
    discarded: u32,
}

enum Judgement {
    /// Too few octets to go on.
    Needs(usize),
    Right(Layout),
    Wrong,
}

impl<const N: usize> Default for Delimiter<N> {
    fn default() -> Self {
        Self { octets: [0; N], filled: 0, opened: false, header_right: false, found: None, discarded: 0 }
    }
}

impl<const N: usize> Delimiter<N> {
    /// Takes octets up to the end of the next frame; returns how many. [`Self::frame`] then shows it, if there is one.
    ///
    /// A damaged frame may have swallowed good ones: they come out one by one, of no octets if need be.
    pub fn push(&mut self, octets: &[u8]) -> usize {
        if let Some(found) = self.found.take() {
            self.drop_front(found.length); // its closing flag may open the next
            self.resume();
        }
        let mut taken = 0;
        loop {
            if !self.opened {
                let rest = octets.get(taken..).unwrap_or_default();
                let Some(flag) = rest.iter().position(|&octet| octet == FLAG) else { return octets.len() };
                taken += flag + 1;
                self.opened = true;
            }
            match self.judge() {
                Judgement::Right(layout) => {
                    self.found = Some(layout);
                    return taken;
                }
                Judgement::Wrong => {
                    self.discarded = self.discarded.wrapping_add(1);
                    self.resume();
                }
                Judgement::Needs(wanted) => {
                    let rest = octets.get(taken..).unwrap_or_default();
                    let more = wanted.saturating_sub(self.filled).min(rest.len());
                    let (Some(place), Some(new)) =
                        (self.octets.get_mut(self.filled..self.filled + more), rest.get(..more))
                    else {
                        self.resume();
                        continue;
                    };
                    if more == 0 {
                        return taken;
                    }
                    place.copy_from_slice(new);
                    self.filled += more;
                    taken += more;
                }
            }
        }
    }

    /// The frame that the last [`Self::push`] completed.
    pub fn frame(&self) -> Option<Frame<'_>> {
        self.found.as_ref().map(|layout| layout.frame(&self.octets))
    }

    /// Whether a frame has begun and is not complete: the inter-octet time-out counts.
    pub fn is_within_frame(&self) -> bool {
        self.filled > self.found.as_ref().map_or(0, |layout| layout.length + 1)
    }

    /// Forgets what was begun: the line was silent for too long.
    pub fn reset(&mut self) {
        (self.filled, self.opened, self.header_right, self.found) = (0, false, false, None);
    }

    /// How often something that began like a frame was given up.
    pub fn discarded(&self) -> u32 {
        self.discarded
    }

    fn judge(&mut self) -> Judgement {
        let leading = self.octets.iter().take(self.filled).take_while(|&&octet| octet == FLAG).count();
        if leading > 0 {
            self.drop_front(leading);
        }
        let octets = self.octets.get(..self.filled).unwrap_or_default();
        let layout = match Layout::read(octets) {
            Ok(layout) => layout,
            Err(FrameError::Incomplete { .. }) if self.filled == 0 => return Judgement::Needs(1),
            Err(FrameError::Incomplete { .. }) if octets.first().is_some_and(|first| first & 0xF0 != 0xA0) => {
                return Judgement::Wrong;
            }
            Err(FrameError::Incomplete { needed }) => return Judgement::Needs(needed),
            Err(_) => return Judgement::Wrong,
        };
        if layout.length >= N {
            return Judgement::Wrong;
        }
        if layout.has_information() && !self.header_right {
            match layout.check_header(octets) {
                Ok(()) => self.header_right = true,
                Err(FrameError::Incomplete { needed }) => return Judgement::Needs(needed),
                Err(_) => return Judgement::Wrong,
            }
        }
        match octets.get(layout.length) {
            None => Judgement::Needs(layout.length + 1),
            Some(&FLAG) if layout.check_frame(octets).is_ok() => Judgement::Right(layout),
            Some(_) => Judgement::Wrong,
        }
    }

    /// Goes on behind the next flag in the buffer, or waits for one from the line.
    fn resume(&mut self) {
        let flag = self.octets.iter().take(self.filled).position(|&octet| octet == FLAG);
        self.opened = flag.is_some();
        self.drop_front(flag.map_or(self.filled, |flag| flag + 1));
    }

    fn drop_front(&mut self, count: usize) {
        let count = count.min(self.filled);
        self.octets.copy_within(count..self.filled, 0);
        self.filled -= count;
        self.header_right = false;
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::{Address, Control};
    use super::*;

    fn encoded(information: &[u8]) -> Vec<u8> {
        let mut line = [0; 300];
        let control = Control::Information { send: 0, receive: 0, poll: true };
        let frame = Frame { information, ..Frame::bare(Address::two(1, 17).unwrap(), Address::PUBLIC_CLIENT, control) };
        let octets = frame.encode(&mut line).unwrap();
        line[..octets].to_vec()
    }

    fn found(stream: &[u8], step: usize) -> Vec<Vec<u8>> {
        let (mut delimiter, mut found) = (Delimiter::<300>::default(), Vec::new());
        for mut piece in stream.chunks(step) {
            while !piece.is_empty() {
                piece = &piece[delimiter.push(piece)..];
                found.extend(delimiter.frame().map(|frame| frame.information.to_vec()));
            }
        }
        while delimiter.push(&[]) == 0 && delimiter.frame().is_some() {
            found.extend(delimiter.frame().map(|frame| frame.information.to_vec()));
        }
        found
    }

    #[test]
    fn one_flag_may_close_and_open_and_many_may_stand_between() {
        let (one, two) = (encoded(&[FLAG, FLAG, 0xA0]), encoded(b"second"));
        let shared = [&one[..one.len() - 1], &two].concat();
        let many = [&[FLAG; 5], &one[..], &[FLAG; 3], &two[..]].concat();
        for step in [1, 2, 3, 7, 1000] {
            for stream in [&shared, &many] {
                assert_eq!(found(stream, step), [&[FLAG, FLAG, 0xA0][..], b"second"], "step {step}");
            }
        }
    }

    #[test]
    fn a_frame_that_ends_with_two_flags_is_whole() {
        // Information whose check sequence has 7E as its last octet: the octets on the line end with 7E 7E.
        let frame = (0..=u16::MAX)
            .map(|n| encoded(&n.to_be_bytes()))
            .find(|frame| frame[frame.len() - 2] == FLAG)
            .expect("one of 256 check sequences ends so");
        let stream = [&frame[..], &frame[..]].concat();
        for step in [1, 5, 1000] {
            assert_eq!(found(&stream, step).len(), 2);
        }
    }

    #[test]
    fn a_bad_header_does_not_swallow_the_good_frame_behind_it() {
        let good = encoded(b"good");
        for (at, damage) in [(1, 0x07), (2, 0xFF), (4, 0x20), (6, 0x01), (9, 0x10)] {
            let mut bad = encoded(&[0x55; 20]);
            bad[at] ^= damage;
            for step in [1, 4, 1000] {
                assert_eq!(found(&[&bad[..], &good].concat(), step), [b"good"], "octet {at}");
            }
        }
        let cut = encoded(&[0x55; 20]);
        for end in 1..cut.len() - 1 {
            // A right header is believed: what is missing behind it is taken from the frames that follow.
            let found = found(&[&cut[..end], &good, &good, &good].concat(), 1);
            assert!(found.len() >= 2 && found.iter().all(|information| information == b"good"), "cut at {end}");
        }
    }
}
