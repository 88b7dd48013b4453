//! general-signing. **Assumed:** sources differ on what is signed, and no published vector is known.
//!
//! What is assumed: the content is an APDU that was ciphered before (encrypt, then sign); the signature is over the five
//! fields of the head, each with its length octets, and the content without its length octets; it is `r` and `s` of
//! ECDSA on P-256 with SHA-256, 64 octets. One open implementation does it so. Check with the standard before relying
//! on it.

use super::GeneralHead;
use crate::octets::{DecodeError, Reader, Writer};

/// A signed APDU, taken apart but not verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedApdu<'a> {
    /// Transaction, sender, receiver.
    pub head: GeneralHead<'a>,
    /// The APDU that is signed.
    pub content: &'a [u8],
    /// The signature.
    pub signature: &'a [u8],
}

impl<'a> SignedApdu<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0xDF;
    /// Octets of a signature on P-256.
    pub const SIGNATURE_LENGTH: usize = 64;

    /// Reads an APDU.
    pub fn decode(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        reader.expect_tag(Self::TAG)?;
        let signed = Self {
            head: GeneralHead::decode(&mut reader)?,
            content: reader.octet_string()?,
            signature: reader.octet_string()?,
        };
        reader.finish()?;
        Ok(signed)
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.u8(Self::TAG);
        self.head.encode(writer);
        writer.octet_string(self.content);
        writer.octet_string(self.signature);
    }

    /// Writes what the signature is over, as assumed.
    pub fn put_signed_octets(&self, writer: &mut Writer<'_>) {
        self.head.encode(writer);
        writer.put(self.content);
    }
}

#[cfg(feature = "signing")]
pub use p256_signing::{SigningKey, VerifyingKey};

#[cfg(feature = "signing")]
mod p256_signing {
    use core::fmt;

    use p256::ecdsa::Signature;
    use p256::ecdsa::signature::{DigestSigner, DigestVerifier};
    use p256::ecdsa::{SigningKey as P256SigningKey, VerifyingKey as P256VerifyingKey};
    use sha2::{Digest, Sha256};

    use super::{GeneralHead, SignedApdu};
    use crate::octets::Writer;

    /// A private key for signing. It does not show itself.
    pub struct SigningKey(P256SigningKey);

    impl fmt::Debug for SigningKey {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("SigningKey(kept secret)")
        }
    }

    /// A public key for verifying.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct VerifyingKey(P256VerifyingKey);

    /// The head is hashed through a small window, so that no buffer holds it as a whole.
    fn hash(digest: &mut Sha256, signed: &SignedApdu<'_>) {
        let total = Writer::measure(|writer| signed.head.encode(writer));
        let mut from = 0;
        while from < total {
            let mut window = [0; 64];
            let mut writer = Writer::window(&mut window, from);
            signed.head.encode(&mut writer);
            let kept = writer.kept();
            digest.update(window.get(..kept).unwrap_or_default());
            from += window.len();
        }
        digest.update(signed.content);
    }

    impl SigningKey {
        /// The key of these octets; `None` for 0 and what is not below the order of the curve.
        pub fn from_octets(octets: &[u8; 32]) -> Option<Self> {
            P256SigningKey::from_slice(octets).ok().map(Self)
        }

        /// The public half.
        pub fn verifying_key(&self) -> VerifyingKey {
            VerifyingKey(*self.0.verifying_key())
        }

        /// Signs head and content; deterministic (RFC 6979).
        pub fn sign(&self, head: &GeneralHead<'_>, content: &[u8]) -> Option<[u8; SignedApdu::SIGNATURE_LENGTH]> {
            let signed = SignedApdu { head: *head, content, signature: &[] };
            let signature: Signature = self
                .0
                .try_sign_digest(|digest: &mut Sha256| {
                    hash(digest, &signed);
                    Ok(())
                })
                .ok()?;
            Some(signature.to_bytes().into())
        }
    }

    impl VerifyingKey {
        /// The key of an uncompressed or compressed point.
        pub fn from_point(octets: &[u8]) -> Option<Self> {
            P256VerifyingKey::from_sec1_bytes(octets).ok().map(Self)
        }

        /// Whether the signature is that of this key over head and content.
        #[must_use]
        pub fn verify(&self, signed: &SignedApdu<'_>) -> bool {
            let Ok(signature) = Signature::from_slice(signed.signature) else { return false };
            self.0
                .verify_digest(
                    |digest: &mut Sha256| {
                        hash(digest, signed);
                        Ok(())
                    },
                    &signature,
                )
                .is_ok()
        }
    }
}
