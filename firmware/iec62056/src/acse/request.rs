use super::ber::{self, OCTET_STRING, USER_INFORMATION};
use super::names::{ApplicationContext, Mechanism};
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

/// AARQ: a client asks for an association.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssociationRequest<'a> {
    /// What is to be spoken.
    pub context: ApplicationContext,
    /// The server meant, when the client says so.
    pub called_ap_title: Option<&'a [u8]>,
    /// The client's system title.
    pub calling_ap_title: Option<&'a [u8]>,
    /// The client's certificate for signing.
    pub calling_ae_qualifier: Option<&'a [u8]>,
    /// The user of the client.
    pub calling_ae_invocation_id: Option<u8>,
    /// Whether the authentication functional unit is used.
    pub authentication_unit: bool,
    /// How the client will prove who it is.
    pub mechanism: Option<Mechanism>,
    /// The password, or the client's challenge.
    pub authentication_value: Option<&'a [u8]>,
    /// The xDLMS initiate request, plain or ciphered.
    pub user_information: Option<&'a [u8]>,
}

impl<'a> AssociationRequest<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0x60;

    /// A request without authentication.
    pub const fn new(context: ApplicationContext, user_information: &'a [u8]) -> Self {
        Self {
            context,
            called_ap_title: None,
            calling_ap_title: None,
            calling_ae_qualifier: None,
            calling_ae_invocation_id: None,
            authentication_unit: false,
            mechanism: None,
            authentication_value: None,
            user_information: Some(user_information),
        }
    }

    /// The same request with a mechanism, and a password or challenge.
    #[must_use]
    pub const fn with_authentication(self, mechanism: Mechanism, value: &'a [u8]) -> Self {
        Self { authentication_unit: true, mechanism: Some(mechanism), authentication_value: Some(value), ..self }
    }

    /// The same request with the system title of the client.
    #[must_use]
    pub const fn with_system_title(self, title: &'a [u8]) -> Self {
        Self { calling_ap_title: Some(title), ..self }
    }

    /// Reads an APDU.
    pub fn decode(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        ber::apdu(&mut reader, Self::TAG)?;
        let mut request = Self::new(ApplicationContext::FOREIGN, &[]);
        request.user_information = None;
        let mut named = false;
        ber::fields(&mut reader, |tag, field| {
            match tag {
                0xA1 => (request.context, named) = (field.context()?, true),
                0xA2 => request.called_ap_title = Some(field.inner(OCTET_STRING)?),
                0xA6 => request.calling_ap_title = Some(field.inner(OCTET_STRING)?),
                0xA7 => request.calling_ae_qualifier = Some(field.inner(OCTET_STRING)?),
                0xA9 => request.calling_ae_invocation_id = Some(field.integer()?),
                0x8A => request.authentication_unit = field.authentication_unit(),
                0x8B => request.mechanism = Some(field.mechanism()),
                0xAC => request.authentication_value = Some(field.inner(0x80)?),
                USER_INFORMATION => request.user_information = Some(field.inner(OCTET_STRING)?),
                _ => {}
            }
            Ok(())
        })?;
        if named { Ok(request) } else { Err(reader.error(DecodeErrorKind::Truncated)) }
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.nested(Self::TAG, |writer| {
            ber::put_context(writer, self.context);
            ber::put_optional(writer, 0xA2, OCTET_STRING, self.called_ap_title);
            ber::put_optional(writer, 0xA6, OCTET_STRING, self.calling_ap_title);
            ber::put_optional(writer, 0xA7, OCTET_STRING, self.calling_ae_qualifier);
            if let Some(user) = self.calling_ae_invocation_id {
                ber::put_wrapped(writer, 0xA9, ber::INTEGER, &[user]);
            }
            ber::put_authentication(
                writer,
                [0x8A, 0x8B, 0xAC],
                self.authentication_unit,
                self.mechanism,
                self.authentication_value,
            );
            ber::put_optional(writer, USER_INFORMATION, OCTET_STRING, self.user_information);
        });
    }
}
