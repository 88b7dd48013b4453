use super::ciphered::{TAG_LENGTH, dedicated_tag, global_tag, plain_tag};
use super::gcm::Associated;
use super::{Ciphered, Gcm, GeneralHead, Key, KeyInformation, SecurityControl, SystemTitle};
use crate::octets::{EncodeError, Writer};

/// The keys of one direction-independent use: global unicast, global broadcast or dedicated.
#[derive(Debug)]
pub struct Protection {
    suite: u8,
    cipher: Gcm,
    authentication_key: Key,
    /// Of an APDU that is authenticated and encrypted, as most are.
    associated: Associated,
}

/// Why an APDU could not be protected or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecurityError {
    /// The buffer is too small.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Neither authenticated nor encrypted.
    #[error("the security control asks for no protection")]
    NoProtection,
    /// Another suite than that of the keys.
    #[error("security suite {found}, the keys are of suite {expected}")]
    Suite {
        /// The suite of the APDU.
        found: u8,
        /// The suite of the keys.
        expected: u8,
    },
    /// Compression is not supported.
    #[error("the APDU is compressed")]
    Compressed,
    /// The tag is not that of these keys, this sender and this text.
    #[error("the APDU is not genuine")]
    NotGenuine,
    /// The APDU has no ciphered form of its own.
    #[error("an APDU with tag {0:#04x} has no service-specific ciphering")]
    NoServiceTag(u8),
    /// The tag outside says another service than the APDU inside.
    #[error("the APDU inside has tag {inside:#04x}, outside {outside:#04x}")]
    InnerTag {
        /// The tag inside.
        inside: u8,
        /// The tag outside.
        outside: u8,
    },
}

/// In which form an APDU is ciphered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope<'a> {
    /// Service-specific, global key.
    Global,
    /// Service-specific, dedicated key.
    Dedicated,
    /// general-glo-ciphering with this system title, which may be empty.
    GeneralGlobal(&'a [u8]),
    /// general-ded-ciphering with this system title, which may be empty.
    GeneralDedicated(&'a [u8]),
    /// general-ciphering.
    General(GeneralHead<'a>, Option<KeyInformation<'a>>),
}

impl<'a> Envelope<'a> {
    /// The form of the answer: that of the request. An empty title is answered with an empty title.
    pub fn answering(request: &Ciphered<'a>, own_title: &'a SystemTitle) -> Self {
        let title = |asked: &[u8]| if asked.is_empty() { &[][..] } else { &own_title.0[..] };
        match *request {
            Ciphered::Service { .. } if request.is_dedicated() => Self::Dedicated,
            Ciphered::Service { .. } => Self::Global,
            Ciphered::GeneralGlobal { system_title, .. } => Self::GeneralGlobal(title(system_title)),
            Ciphered::GeneralDedicated { system_title, .. } => Self::GeneralDedicated(title(system_title)),
            Ciphered::General { head, key, .. } => Self::General(head.answering(), key),
        }
    }

    /// The most octets this adds to a plain APDU below 64 KiB: what a block of an answer must leave free.
    pub fn overhead(&self, control: SecurityControl) -> usize {
        // A tag that has every form; a length of three octets, the control octet and the counter.
        let head = Writer::measure(|writer| _ = self.put_head(writer, 0xC0));
        head + 3 + 5 + if control.is_authenticated() { TAG_LENGTH } else { 0 }
    }

    pub(super) fn put_head(&self, writer: &mut Writer<'_>, plain: u8) -> Result<(), SecurityError> {
        match self {
            Self::Global => writer.u8(global_tag(plain).ok_or(SecurityError::NoServiceTag(plain))?),
            Self::Dedicated => writer.u8(dedicated_tag(plain).ok_or(SecurityError::NoServiceTag(plain))?),
            Self::GeneralGlobal(title) => {
                writer.u8(Ciphered::GENERAL_GLOBAL);
                writer.octet_string(title);
            }
            Self::GeneralDedicated(title) => {
                writer.u8(Ciphered::GENERAL_DEDICATED);
                writer.octet_string(title);
            }
            Self::General(head, key) => {
                writer.u8(Ciphered::GENERAL);
                head.encode(writer);
                writer.flag(key.is_some());
                if let Some(key) = key {
                    key.encode(writer);
                }
            }
        }
        Ok(())
    }

    pub(super) const fn head(&self) -> Option<&GeneralHead<'a>> {
        if let Self::General(head, _) = self { Some(head) } else { None }
    }
}

/// What was in a ciphered APDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unprotected<'o> {
    /// The plain APDU.
    pub plain: &'o [u8],
    /// How it was protected.
    pub control: SecurityControl,
    /// The counter of the sender: to be accepted before anything is done.
    pub counter: u32,
}

/// Title and counter of the sender.
pub(super) fn vector(title: &SystemTitle, counter: u32) -> [u8; 12] {
    let mut vector = [0; 12];
    vector[..8].copy_from_slice(&title.0);
    vector[8..].copy_from_slice(&counter.to_be_bytes());
    vector
}

impl Protection {
    /// Keys of this suite. Suite 1 protects APDUs with symmetric keys as suite 0 does.
    pub fn new(suite: u8, encryption_key: &Key, authentication_key: &Key) -> Self {
        let (cipher, authentication_key) = (Gcm::new(encryption_key), authentication_key.clone());
        let associated = cipher.associated(&[&[SecurityControl::BOTH.0 | suite], &authentication_key.0]);
        Self { suite, cipher, authentication_key, associated }
    }

    /// The same with the dedicated key of an association in the place of the encryption key.
    #[must_use]
    pub fn dedicated(&self, key: &Key) -> Self {
        Self::new(self.suite, key, &self.authentication_key)
    }

    pub(super) fn cipher(&self) -> &Gcm {
        &self.cipher
    }

    pub(super) fn authentication_key(&self) -> &[u8; 16] {
        &self.authentication_key.0
    }

    pub(super) const fn suite(&self) -> u8 {
        self.suite
    }

    pub(super) fn check(&self, control: SecurityControl) -> Result<(), SecurityError> {
        match control {
            _ if control.suite() != self.suite => {
                Err(SecurityError::Suite { found: control.suite(), expected: self.suite })
            }
            _ if control.is_compressed() => Err(SecurityError::Compressed),
            _ if !control.is_authenticated() && !control.is_encrypted() => Err(SecurityError::NoProtection),
            _ => Ok(()),
        }
    }

    /// Hands the associated data to `use_it`: control, key, the head of general-ciphering, the text when it is plain.
    pub(super) fn with_associated<T>(
        &self,
        control: SecurityControl,
        head: Option<&GeneralHead<'_>>,
        plain: &[u8],
        use_it: impl FnOnce(&[&[u8]]) -> T,
    ) -> T {
        let control = [control.0];
        let key = self.authentication_key();
        let Some(head) = head else { return use_it(&[&control, key, plain]) };
        let mut octets = [[0_u8; 5]; 5];
        let mut taken = [0_usize; 5];
        let fields = head.fields();
        for ((octets, taken), field) in octets.iter_mut().zip(&mut taken).zip(fields) {
            let mut writer = Writer::new(octets);
            writer.length(field.len());
            *taken = writer.kept();
        }
        let length = |field: usize| octets[field].get(..taken[field]).unwrap_or_default();
        use_it(&[
            &control,
            key,
            length(0),
            fields[0],
            length(1),
            fields[1],
            length(2),
            fields[2],
            length(3),
            fields[3],
            length(4),
            fields[4],
            plain,
        ])
    }

    /// Hands the associated data of an APDU that is authenticated and encrypted to `use_it`.
    fn with_hashed<T>(
        &self,
        control: SecurityControl,
        head: Option<&GeneralHead<'_>>,
        use_it: impl FnOnce(&Associated) -> T,
    ) -> T {
        if head.is_none() && control.0 == SecurityControl::BOTH.0 | self.suite {
            return use_it(&self.associated);
        }
        use_it(&self.with_associated(control, head, &[], |data| self.cipher.associated(data)))
    }

    /// Protects a plain APDU into `out`; returns the octets of the ciphered APDU. `title` and `counter` are the sender's, and the
    /// counter is never used again with these keys.
    pub fn protect(
        &self,
        envelope: &Envelope<'_>,
        control: SecurityControl,
        title: &SystemTitle,
        counter: u32,
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<usize, SecurityError> {
        self.check(control)?;
        let tag_length = if control.is_authenticated() { TAG_LENGTH } else { 0 };
        let mut writer = Writer::new(out);
        envelope.put_head(&mut writer, plain.first().copied().unwrap_or(0))?;
        writer.length(5 + plain.len() + tag_length);
        writer.u8(control.0);
        writer.u32(counter);
        let start = writer.total();
        let (needed, capacity) = (start + plain.len() + tag_length, out.len());
        let body = out.get_mut(start..needed).ok_or(EncodeError::Full { needed, capacity })?;
        let (text, tag) = body.split_at_mut(plain.len());
        let vector = vector(title, counter);
        let (cipher, head) = (&self.cipher, envelope.head());
        match (control.is_authenticated(), control.is_encrypted()) {
            (true, true) => {
                let sealed = self.with_hashed(control, head, |data| cipher.seal_with(&vector, data, plain, text));
                tag.copy_from_slice(&sealed[..TAG_LENGTH]);
            }
            (true, false) => {
                text.copy_from_slice(plain);
                let sealed =
                    self.with_associated(control, head, plain, |data| cipher.seal(&vector, data, &[], &mut []));
                tag.copy_from_slice(&sealed[..TAG_LENGTH]);
            }
            (false, _) => {
                text.copy_from_slice(plain);
                cipher.apply_key_stream(&vector, text);
            }
        }
        Ok(needed)
    }

    /// Opens a ciphered APDU into `out`. `title` is the sender's.
    ///
    /// What comes back is genuine where it was authenticated, and **only** there: see whether its control octet meets
    /// the [`Requirement`](super::Requirement) before its counter is accepted. Whether the counter is new is for
    /// [`ReceiveCounter`](super::ReceiveCounter) to say.
    pub fn unprotect<'o>(
        &self,
        ciphered: &Ciphered<'_>,
        title: &SystemTitle,
        out: &'o mut [u8],
    ) -> Result<Unprotected<'o>, SecurityError> {
        let protected = ciphered.protected();
        let control = protected.control;
        self.check(control)?;
        let head = if let Ciphered::General { head, .. } = ciphered { Some(head) } else { None };
        let (text, tag) = protected.text_and_tag();
        let capacity = out.len();
        let plain = out.get_mut(..text.len()).ok_or(EncodeError::Full { needed: text.len(), capacity })?;
        let (vector, cipher) = (vector(title, protected.counter), &self.cipher);
        let genuine = match (control.is_authenticated(), control.is_encrypted()) {
            (true, true) => self.with_hashed(control, head, |data| cipher.open_with(&vector, data, text, tag, plain)),
            (true, false) => {
                plain.copy_from_slice(text);
                self.with_associated(control, head, text, |data| cipher.open(&vector, data, &[], tag, &mut []))
            }
            (false, _) => {
                plain.copy_from_slice(text);
                cipher.apply_key_stream(&vector, plain);
                true
            }
        };
        if !genuine {
            plain.fill(0);
            return Err(SecurityError::NotGenuine);
        }
        if let Ciphered::Service { tag, .. } = ciphered {
            let inside = plain.first().copied().unwrap_or(0);
            if plain_tag(*tag) != Some(inside) {
                return Err(SecurityError::InnerTag { inside, outside: *tag });
            }
        }
        Ok(Unprotected { plain, control, counter: protected.counter })
    }
}
