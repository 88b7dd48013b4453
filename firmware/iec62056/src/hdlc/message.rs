//! A message cut into segments and put together again, with its logical link control octets.

use super::event::Discarded;

/// Whether the frames of a message carry numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// I frames.
    Numbered,
    /// UI frames.
    Unnumbered,
}

/// A message on its way out. Counts octets of the logical link control octets and the message as one stream.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing<const N: usize> {
    octets: [u8; N],
    length: usize,
    control: [u8; 3],
    kind: Option<Kind>,
    confirmed: usize,
    sent: usize,
    /// The most that was ever sent: a rewind takes back `sent` alone.
    ever_sent: usize,
}

/// One segment, in two pieces: of the logical link control octets, and of the message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment<'a> {
    pub(crate) control: &'a [u8],
    pub(crate) message: &'a [u8],
    /// More segments follow: the S bit.
    pub(crate) more: bool,
}

impl<const N: usize> Outgoing<N> {
    pub(crate) fn new(control: [u8; 3]) -> Self {
        Self { octets: [0; N], length: 0, control, kind: None, confirmed: 0, sent: 0, ever_sent: 0 }
    }

    /// Keeps a copy of the message; `false` when it is too long.
    pub(crate) fn load(&mut self, message: &[u8], kind: Kind) -> bool {
        let Some(place) = self.octets.get_mut(..message.len()) else { return false };
        place.copy_from_slice(message);
        self.clear();
        (self.length, self.kind) = (message.len(), Some(kind));
        true
    }

    pub(crate) fn clear(&mut self) {
        (self.kind, self.length, self.confirmed, self.sent, self.ever_sent) = (None, 0, 0, 0, 0);
    }

    /// The kind of the message that is not yet confirmed to its end.
    pub(crate) fn kind(&self) -> Option<Kind> {
        self.kind
    }

    fn total(&self) -> usize {
        self.control.len() + self.length
    }

    pub(crate) fn has_unsent(&self, kind: Kind) -> bool {
        self.kind == Some(kind) && self.sent < self.total()
    }

    /// The next segment of at most so many octets.
    pub(crate) fn next(&mut self, longest: usize) -> Option<Segment<'_>> {
        self.kind?;
        let (from, total) = (self.sent, self.total());
        let to = total.min(from + longest.max(1));
        self.sent = to;
        self.ever_sent = self.ever_sent.max(to);
        let control = self.control.get(from.min(3)..to.min(3))?;
        let message = self.octets.get(from.saturating_sub(3)..to.saturating_sub(3))?;
        (from < total).then_some(Segment { control, message, more: to < total })
    }

    /// The peer has so many octets more; the message is done with when that was its end.
    pub(crate) fn confirm(&mut self, octets: usize) {
        self.confirmed = self.ever_sent.min(self.confirmed + octets);
        self.sent = self.sent.max(self.confirmed);
        if self.kind.is_some() && self.confirmed == self.total() {
            self.clear();
        }
    }

    /// Goes back to what the peer has not confirmed.
    pub(crate) fn rewind(&mut self) {
        self.sent = self.confirmed;
    }
}

/// A message on its way in.
#[derive(Debug, Clone)]
pub(crate) struct Incoming<const N: usize> {
    octets: [u8; N],
    length: usize,
    control: [u8; 3],
    control_seen: usize,
    kind: Option<Kind>,
    trouble: Option<Discarded>,
    complete: bool,
}

impl<const N: usize> Incoming<N> {
    pub(crate) fn new(control: [u8; 3]) -> Self {
        Self { octets: [0; N], length: 0, control, control_seen: 0, kind: None, trouble: None, complete: false }
    }

    pub(crate) fn clear(&mut self) {
        (self.length, self.control_seen, self.kind, self.trouble, self.complete) = (0, 0, None, None, false);
    }

    /// Whether there is no place for a segment of this kind: a complete message stands here, or numbered segments do.
    pub(crate) fn is_taken(&self, by: Kind) -> bool {
        self.complete || (by == Kind::Unnumbered && self.kind == Some(Kind::Numbered))
    }

    /// Adds a segment; `true` when it was the last.
    pub(crate) fn append(&mut self, kind: Kind, segment: &[u8], more: bool) -> bool {
        // Segments without numbers end silently when their last one is lost: what begins anew begins a new message.
        let anew = kind == Kind::Unnumbered && segment.starts_with(&self.control);
        if self.kind != Some(kind) || anew {
            self.clear();
        }
        self.kind = Some(kind);
        let missing = self.control.len() - self.control_seen;
        let (control, message) = segment.split_at(missing.min(segment.len()));
        if self.control.get(self.control_seen..).is_some_and(|expected| !expected.starts_with(control)) {
            self.trouble.get_or_insert(Discarded::LogicalLinkControl);
        }
        self.control_seen += control.len();
        match self.octets.get_mut(self.length..self.length + message.len()) {
            Some(place) => {
                place.copy_from_slice(message);
                self.length += message.len();
            }
            None => {
                self.trouble.get_or_insert(Discarded::TooLong { room: N });
            }
        }
        if !more && self.control_seen < self.control.len() {
            self.trouble.get_or_insert(Discarded::LogicalLinkControl);
        }
        self.complete = !more;
        self.complete
    }

    /// The complete message, or why there is none. Its place is free for the next one.
    pub(crate) fn take(&mut self) -> Result<&[u8], Discarded> {
        (self.kind, self.complete) = (None, false);
        match self.trouble {
            Some(trouble) => Err(trouble),
            None => Ok(self.octets.get(..self.length).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_survives_every_length_of_segment() {
        let message: [u8; 50] = core::array::from_fn(|n| n as u8);
        for length in 0..=50 {
            for longest in 1..60 {
                let mut outgoing = Outgoing::<50>::new([1, 2, 3]);
                let mut incoming = Incoming::<50>::new([1, 2, 3]);
                assert!(outgoing.load(&message[..length], Kind::Numbered));
                let mut complete = false;
                while let Some(segment) = outgoing.next(longest) {
                    assert!(!complete && segment.control.len() + segment.message.len() <= longest);
                    let joined = [segment.control, segment.message].concat();
                    complete = incoming.append(Kind::Numbered, &joined, segment.more);
                }
                assert!(complete);
                assert_eq!(incoming.take(), Ok(&message[..length]));
            }
        }
    }

    #[test]
    fn what_does_not_fit_or_lacks_its_control_octets_is_told() {
        let mut incoming = Incoming::<4>::new([1, 2, 3]);
        assert!(incoming.append(Kind::Numbered, &[1, 2, 3, 0, 0, 0, 0, 0], false));
        assert_eq!(incoming.take(), Err(Discarded::TooLong { room: 4 }));
        for wrong in [&[1, 2][..], &[1, 2, 4, 0], &[]] {
            incoming.clear();
            assert!(incoming.append(Kind::Numbered, wrong, false));
            assert_eq!(incoming.take(), Err(Discarded::LogicalLinkControl));
        }
        assert!(!Outgoing::<4>::new([1, 2, 3]).load(&[0; 5], Kind::Numbered));
    }
}
