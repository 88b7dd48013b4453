//! Opening and releasing an association: AARQ, AARE, RLRQ, RLRE and what they carry.
//!
//! Both directions are here, for the server and for the client. The decoders take any order of the fields that BER
//! allows them to skip over; the encoders write the order of the standard. Fields that no meter needs (AP invocation
//! identifiers, implementation information) are stepped over.
//! Source: IEC 62056-5-3 with the tags of ISO/IEC 15954.

mod ber;
mod conformance;
mod initiate;
mod names;
mod release;
mod request;
mod response;

pub use conformance::Conformance;
pub use initiate::{ConfirmedServiceError, InitiateRequest, InitiateResponse, VAA_LOGICAL_NAMES, VAA_SHORT_NAMES};
pub use names::{
    ApplicationContext, AssociationResult, Diagnostic, Mechanism, ProviderDiagnostic, ReleaseReason, UserDiagnostic,
};
pub use release::{ReleaseRequest, ReleaseResponse};
pub use request::AssociationRequest;
pub use response::AssociationResponse;
