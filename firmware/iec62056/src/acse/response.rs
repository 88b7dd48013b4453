use super::ber::{self, OCTET_STRING, USER_INFORMATION};
use super::names::{ApplicationContext, AssociationResult, Diagnostic, Mechanism, ProviderDiagnostic, UserDiagnostic};
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

/// AARE: a server accepts or rejects an association.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssociationResponse<'a> {
    /// What is spoken.
    pub context: ApplicationContext,
    /// Accepted or rejected.
    pub result: AssociationResult,
    /// Why, or what is to follow.
    pub diagnostic: Diagnostic,
    /// The server's system title.
    pub responding_ap_title: Option<&'a [u8]>,
    /// The server's certificate for signing.
    pub responding_ae_qualifier: Option<&'a [u8]>,
    /// Whether the authentication functional unit is used; said with high level security only.
    pub authentication_unit: bool,
    /// How both prove who they are; said with high level security only.
    pub mechanism: Option<Mechanism>,
    /// The server's challenge; said with high level security only.
    pub authentication_value: Option<&'a [u8]>,
    /// The xDLMS initiate response or confirmed service error, plain or ciphered.
    pub user_information: Option<&'a [u8]>,
}

impl<'a> AssociationResponse<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0x61;

    /// A response without high level security.
    pub const fn new(context: ApplicationContext, result: AssociationResult, diagnostic: UserDiagnostic) -> Self {
        Self {
            context,
            result,
            diagnostic: Diagnostic::User(diagnostic),
            responding_ap_title: None,
            responding_ae_qualifier: None,
            authentication_unit: false,
            mechanism: None,
            authentication_value: None,
            user_information: None,
        }
    }

    /// The same response with the server's challenge: accepted, authentication required.
    #[must_use]
    pub const fn with_challenge(self, mechanism: Mechanism, challenge: &'a [u8]) -> Self {
        Self {
            diagnostic: Diagnostic::User(UserDiagnostic::AUTHENTICATION_REQUIRED),
            authentication_unit: true,
            mechanism: Some(mechanism),
            authentication_value: Some(challenge),
            ..self
        }
    }

    /// Reads an APDU.
    pub fn decode(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        ber::apdu(&mut reader, Self::TAG)?;
        let rejected = AssociationResult::REJECTED_PERMANENT;
        let mut response = Self::new(ApplicationContext::FOREIGN, rejected, UserDiagnostic::NULL);
        let mut said = [false; 3];
        ber::fields(&mut reader, |tag, field| {
            match tag {
                0xA1 => (response.context, said[0]) = (field.context()?, true),
                0xA2 => (response.result, said[1]) = (AssociationResult(field.integer()?), true),
                0xA3 => {
                    response.diagnostic = match field.chosen_integer()? {
                        (0xA1, code) => Diagnostic::User(UserDiagnostic(code)),
                        (0xA2, code) => Diagnostic::Provider(ProviderDiagnostic(code)),
                        (other, _) => return Err(field.error(DecodeErrorKind::Tag(other))),
                    };
                    said[2] = true;
                }
                0xA4 => response.responding_ap_title = Some(field.inner(OCTET_STRING)?),
                0xA5 => response.responding_ae_qualifier = Some(field.inner(OCTET_STRING)?),
                0x88 => response.authentication_unit = field.authentication_unit(),
                0x89 => response.mechanism = Some(field.mechanism()),
                0xAA => response.authentication_value = Some(field.inner(0x80)?),
                USER_INFORMATION => response.user_information = Some(field.inner(OCTET_STRING)?),
                _ => {}
            }
            Ok(())
        })?;
        if said == [true; 3] { Ok(response) } else { Err(reader.error(DecodeErrorKind::Truncated)) }
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.nested(Self::TAG, |writer| {
            ber::put_context(writer, self.context);
            ber::put_wrapped(writer, 0xA2, ber::INTEGER, &[self.result.0]);
            let (source, code) = match self.diagnostic {
                Diagnostic::User(code) => (0xA1, code.0),
                Diagnostic::Provider(code) => (0xA2, code.0),
            };
            writer.put_array(&[0xA3, 5, source, 3, ber::INTEGER, 1, code]);
            ber::put_optional(writer, 0xA4, OCTET_STRING, self.responding_ap_title);
            ber::put_optional(writer, 0xA5, OCTET_STRING, self.responding_ae_qualifier);
            ber::put_authentication(
                writer,
                [0x88, 0x89, 0xAA],
                self.authentication_unit,
                self.mechanism,
                self.authentication_value,
            );
            ber::put_optional(writer, USER_INFORMATION, OCTET_STRING, self.user_information);
        });
    }
}
