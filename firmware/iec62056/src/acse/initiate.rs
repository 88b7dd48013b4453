use super::Conformance;
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};

/// The name of the VAA for logical names.
pub const VAA_LOGICAL_NAMES: u16 = 0x0007;
/// The name of the VAA for short names.
pub const VAA_SHORT_NAMES: u16 = 0xFA00;

const VERSION: u8 = 6;
/// Tag, length and unused bits of the conformance block.
const CONFORMANCE: [u8; 4] = [0x5F, 0x1F, 0x04, 0x00];

/// xDLMS InitiateRequest: what the client proposes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct InitiateRequest<'a> {
    /// A key for this association alone; only where the request is ciphered.
    pub dedicated_key: Option<&'a [u8]>,
    /// Whether the client wants responses; when not said, it does.
    pub response_allowed: Option<bool>,
    /// Recalled: the quality of service proposed.
    pub quality_of_service: Option<u8>,
    /// The version of DLMS, 6.
    pub version: u8,
    /// What the client can do.
    pub conformance: Conformance,
    /// Octets of an APDU the client can take; 0 without limit.
    pub maximum_pdu: u16,
}

impl core::fmt::Debug for InitiateRequest<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let dedicated_key = self.dedicated_key.map(|_| "kept secret");
        formatter
            .debug_struct("InitiateRequest")
            .field("dedicated_key", &dedicated_key)
            .field("response_allowed", &self.response_allowed)
            .field("quality_of_service", &self.quality_of_service)
            .field("version", &self.version)
            .field("conformance", &self.conformance)
            .field("maximum_pdu", &self.maximum_pdu)
            .finish()
    }
}

/// xDLMS InitiateResponse: what was negotiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitiateResponse {
    /// Recalled: the quality of service negotiated.
    pub quality_of_service: Option<u8>,
    /// The version of DLMS, 6.
    pub version: u8,
    /// What both can do.
    pub conformance: Conformance,
    /// Octets of an APDU the server can take; 0 without limit.
    pub maximum_pdu: u16,
    /// [`VAA_LOGICAL_NAMES`] or [`VAA_SHORT_NAMES`].
    pub vaa_name: u16,
}

/// confirmedServiceError: why an initiate request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("confirmed service error {service}, class {class}, value {value}")]
pub struct ConfirmedServiceError {
    /// The service that was refused; 1 initiate.
    pub service: u8,
    /// The class of the error; 6 initiate.
    pub class: u8,
    /// The error.
    pub value: u8,
}

fn conformance(reader: &mut Reader<'_>) -> Result<Conformance, DecodeError> {
    for octet in CONFORMANCE {
        reader.expect_tag(octet)?;
    }
    reader.array().copied().map(Conformance)
}

fn optional_octet(reader: &mut Reader<'_>) -> Result<Option<u8>, DecodeError> {
    if reader.present()? { reader.u8().map(Some) } else { Ok(None) }
}

fn put_optional_octet(writer: &mut Writer<'_>, octet: Option<u8>) {
    writer.flag(octet.is_some());
    if let Some(octet) = octet {
        writer.u8(octet);
    }
}

impl<'a> InitiateRequest<'a> {
    /// The tag of the APDU.
    pub const TAG: u8 = 0x01;
    /// Octets of the shortest APDU a party may ask for.
    pub const SHORTEST_PDU: u16 = 12;

    /// A proposal without dedicated key.
    pub const fn new(conformance: Conformance, maximum_pdu: u16) -> Self {
        Self {
            dedicated_key: None,
            response_allowed: None,
            quality_of_service: None,
            version: VERSION,
            conformance,
            maximum_pdu,
        }
    }

    /// Reads an APDU.
    pub fn decode(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        reader.expect_tag(Self::TAG)?;
        let request = Self {
            dedicated_key: if reader.present()? { Some(reader.octet_string()?) } else { None },
            response_allowed: optional_octet(&mut reader)?.map(|octet| octet != 0),
            quality_of_service: optional_octet(&mut reader)?,
            version: reader.u8()?,
            conformance: conformance(&mut reader)?,
            maximum_pdu: reader.u16()?,
        };
        reader.finish()?;
        Ok(request)
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.u8(Self::TAG);
        writer.flag(self.dedicated_key.is_some());
        if let Some(key) = self.dedicated_key {
            writer.octet_string(key);
        }
        put_optional_octet(writer, self.response_allowed.map(u8::from));
        put_optional_octet(writer, self.quality_of_service);
        writer.u8(self.version);
        writer.put_array(&CONFORMANCE);
        writer.put_array(&self.conformance.0);
        writer.u16(self.maximum_pdu);
    }

    /// The server's answer: what both can do, or why there is no association.
    pub fn negotiate(&self, own: Conformance, own_maximum_pdu: u16) -> Result<InitiateResponse, ConfirmedServiceError> {
        let common = self.conformance & own;
        if self.version < VERSION {
            return Err(ConfirmedServiceError::VERSION_TOO_LOW);
        }
        if common == Conformance::NONE {
            return Err(ConfirmedServiceError::INCOMPATIBLE_CONFORMANCE);
        }
        if self.maximum_pdu != 0 && self.maximum_pdu < Self::SHORTEST_PDU {
            return Err(ConfirmedServiceError::PDU_SIZE_TOO_SHORT);
        }
        Ok(InitiateResponse {
            quality_of_service: None,
            version: VERSION,
            conformance: common,
            maximum_pdu: own_maximum_pdu,
            vaa_name: VAA_LOGICAL_NAMES,
        })
    }
}

impl InitiateResponse {
    /// The tag of the APDU.
    pub const TAG: u8 = 0x08;

    /// Reads an APDU.
    pub fn decode(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        reader.expect_tag(Self::TAG)?;
        let response = Self {
            quality_of_service: optional_octet(&mut reader)?,
            version: reader.u8()?,
            conformance: conformance(&mut reader)?,
            maximum_pdu: reader.u16()?,
            vaa_name: reader.u16()?,
        };
        reader.finish()?;
        Ok(response)
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.u8(Self::TAG);
        put_optional_octet(writer, self.quality_of_service);
        writer.u8(self.version);
        writer.put_array(&CONFORMANCE);
        writer.put_array(&self.conformance.0);
        writer.u16(self.maximum_pdu);
        writer.u16(self.vaa_name);
    }
}

impl ConfirmedServiceError {
    /// The tag of the APDU.
    pub const TAG: u8 = 0x0E;
    /// The client's version of DLMS is too low.
    pub const VERSION_TOO_LOW: Self = Self::initiate(1);
    /// Nothing both can do.
    pub const INCOMPATIBLE_CONFORMANCE: Self = Self::initiate(2);
    /// The client takes too short APDUs.
    pub const PDU_SIZE_TOO_SHORT: Self = Self::initiate(3);
    /// Refused by the VDE handler.
    pub const REFUSED_BY_VDE_HANDLER: Self = Self::initiate(4);

    const fn initiate(value: u8) -> Self {
        Self { service: 1, class: 6, value }
    }

    /// Reads an APDU.
    pub fn decode(octets: &[u8]) -> Result<Self, DecodeError> {
        match *octets {
            [Self::TAG, service, class, value] => Ok(Self { service, class, value }),
            [Self::TAG, _, _, _, _, ..] => Err(DecodeError { offset: 4, kind: DecodeErrorKind::LeftOver }),
            [Self::TAG, ..] | [] => Err(DecodeError { offset: octets.len(), kind: DecodeErrorKind::Truncated }),
            [tag, ..] => Err(DecodeError { offset: 0, kind: DecodeErrorKind::Tag(tag) }),
        }
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.put_array(&[Self::TAG, self.service, self.class, self.value]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_negotiated_is_what_both_can_do() {
        let request = InitiateRequest::new(Conformance([0x00, 0x7E, 0x1F]), 1200);
        let response = request.negotiate(Conformance([0x00, 0x50, 0x1F]), 500).unwrap();
        assert_eq!((response.conformance, response.maximum_pdu), (Conformance([0x00, 0x50, 0x1F]), 500));
        let refused = |request: InitiateRequest<'_>| request.negotiate(Conformance::GET, 500).unwrap_err().value;
        assert_eq!(refused(InitiateRequest { version: 5, ..request }), 1);
        assert_eq!(refused(InitiateRequest { conformance: Conformance::SET, ..request }), 2);
        assert_eq!(refused(InitiateRequest { maximum_pdu: 11, ..request }), 3);
        assert!(InitiateRequest { maximum_pdu: 0, ..request }.negotiate(Conformance::GET, 500).is_ok());
    }
}
