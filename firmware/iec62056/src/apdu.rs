//! xDLMS services for logical names, as octets and back; client and server.
//!
//! [`Apdu::decode`] takes any APDU that is not ciphered apart and borrows everything from its octets; values stay
//! encoded until asked for. [`Apdu::encode`] writes it again. What a server or client does in several APDUs is a machine
//! in [`transfer`].
//! Source: IEC 62056-5-3.

mod access;
mod action;
mod exception;
mod general_block;
mod get;
mod list;
mod names;
mod notification;
mod selective;
mod set;
pub mod transfer;

pub use access::{AccessRequest, AccessResponse, AccessResult, AccessSpecification};
pub use action::{ActionOutcome, ActionRequest, ActionResponse};
pub use exception::{ExceptionResponse, ServiceError, StateError};
pub use general_block::GeneralBlock;
pub use get::{GetRequest, GetResponse, GetResult};
pub use list::{Item, Items, List};
pub use names::{
    ActionResult, AttributeDescriptor, AttributeReference, DataAccessResult, DataBlock, InvokeIdAndPriority,
    LongInvokeIdAndPriority, MethodDescriptor,
};
pub use notification::{DataNotification, EventNotification};
pub use selective::{CaptureObject, EntryDescriptor, RangeDescriptor, SelectiveAccess};
pub use set::{SetRequest, SetResponse};

use crate::acse::{
    AssociationRequest, AssociationResponse, ConfirmedServiceError, InitiateRequest, InitiateResponse, ReleaseRequest,
    ReleaseResponse,
};
use crate::octets::{DecodeError, DecodeErrorKind, Reader, Writer};
use crate::security::{Ciphered, SignedApdu};

/// Any APDU.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "the variants say what their types say")]
pub enum Apdu<'a> {
    AssociationRequest(AssociationRequest<'a>),
    AssociationResponse(AssociationResponse<'a>),
    ReleaseRequest(ReleaseRequest<'a>),
    ReleaseResponse(ReleaseResponse<'a>),
    InitiateRequest(InitiateRequest<'a>),
    InitiateResponse(InitiateResponse),
    ConfirmedServiceError(ConfirmedServiceError),
    DataNotification(DataNotification<'a>),
    GetRequest(GetRequest<'a>),
    GetResponse(GetResponse<'a>),
    SetRequest(SetRequest<'a>),
    SetResponse(SetResponse<'a>),
    EventNotification(EventNotification<'a>),
    ActionRequest(ActionRequest<'a>),
    ActionResponse(ActionResponse<'a>),
    ExceptionResponse(ExceptionResponse),
    AccessRequest(AccessRequest<'a>),
    AccessResponse(AccessResponse<'a>),
    GeneralBlock(GeneralBlock<'a>),
    /// Any ciphered APDU, service-specific or general.
    Ciphered(Ciphered<'a>),
    /// A signed APDU.
    Signed(SignedApdu<'a>),
}

/// Runs a decoder that starts behind the tag, over all octets.
fn whole<'a, T>(
    octets: &'a [u8],
    decode: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let mut reader = Reader::new(octets);
    reader.u8()?;
    let apdu = decode(&mut reader)?;
    reader.finish()?;
    Ok(apdu)
}

impl<'a> Apdu<'a> {
    /// Reads an APDU; every octet must be part of it.
    pub fn decode(octets: &'a [u8]) -> Result<Self, DecodeError> {
        let Some(&tag) = octets.first() else {
            return Err(DecodeError { offset: 0, kind: DecodeErrorKind::Truncated });
        };
        Ok(match tag {
            AssociationRequest::TAG => Self::AssociationRequest(AssociationRequest::decode(octets)?),
            AssociationResponse::TAG => Self::AssociationResponse(AssociationResponse::decode(octets)?),
            ReleaseRequest::TAG => Self::ReleaseRequest(ReleaseRequest::decode(octets)?),
            ReleaseResponse::TAG => Self::ReleaseResponse(ReleaseResponse::decode(octets)?),
            InitiateRequest::TAG => Self::InitiateRequest(InitiateRequest::decode(octets)?),
            InitiateResponse::TAG => Self::InitiateResponse(InitiateResponse::decode(octets)?),
            ConfirmedServiceError::TAG => Self::ConfirmedServiceError(ConfirmedServiceError::decode(octets)?),
            DataNotification::TAG => Self::DataNotification(whole(octets, DataNotification::decode)?),
            GetRequest::TAG => Self::GetRequest(whole(octets, GetRequest::decode)?),
            GetResponse::TAG => Self::GetResponse(whole(octets, GetResponse::decode)?),
            SetRequest::TAG => Self::SetRequest(whole(octets, SetRequest::decode)?),
            SetResponse::TAG => Self::SetResponse(whole(octets, SetResponse::decode)?),
            EventNotification::TAG => Self::EventNotification(whole(octets, EventNotification::decode)?),
            ActionRequest::TAG => Self::ActionRequest(whole(octets, ActionRequest::decode)?),
            ActionResponse::TAG => Self::ActionResponse(whole(octets, ActionResponse::decode)?),
            ExceptionResponse::TAG => Self::ExceptionResponse(whole(octets, ExceptionResponse::decode)?),
            AccessRequest::TAG => Self::AccessRequest(whole(octets, AccessRequest::decode)?),
            AccessResponse::TAG => Self::AccessResponse(whole(octets, AccessResponse::decode)?),
            GeneralBlock::TAG => Self::GeneralBlock(whole(octets, GeneralBlock::decode)?),
            SignedApdu::TAG => Self::Signed(SignedApdu::decode(octets)?),
            _ => Self::Ciphered(Ciphered::decode(octets)?),
        })
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        match self {
            Self::AssociationRequest(apdu) => apdu.encode(writer),
            Self::AssociationResponse(apdu) => apdu.encode(writer),
            Self::ReleaseRequest(apdu) => apdu.encode(writer),
            Self::ReleaseResponse(apdu) => apdu.encode(writer),
            Self::InitiateRequest(apdu) => apdu.encode(writer),
            Self::InitiateResponse(apdu) => apdu.encode(writer),
            Self::ConfirmedServiceError(apdu) => apdu.encode(writer),
            Self::DataNotification(apdu) => apdu.encode(writer),
            Self::GetRequest(apdu) => apdu.encode(writer),
            Self::GetResponse(apdu) => apdu.encode(writer),
            Self::SetRequest(apdu) => apdu.encode(writer),
            Self::SetResponse(apdu) => apdu.encode(writer),
            Self::EventNotification(apdu) => apdu.encode(writer),
            Self::ActionRequest(apdu) => apdu.encode(writer),
            Self::ActionResponse(apdu) => apdu.encode(writer),
            Self::ExceptionResponse(apdu) => apdu.encode(writer),
            Self::AccessRequest(apdu) => apdu.encode(writer),
            Self::AccessResponse(apdu) => apdu.encode(writer),
            Self::GeneralBlock(apdu) => apdu.encode(writer),
            Self::Ciphered(apdu) => apdu.encode(writer),
            Self::Signed(apdu) => apdu.encode(writer),
        }
    }
}
