use crate::octets::{DecodeError, Reader, Writer};

/// Which state made the server refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StateError(pub u8);

impl StateError {
    /// The service is not allowed here.
    pub const SERVICE_NOT_ALLOWED: Self = Self(1);
    /// The service is unknown.
    pub const SERVICE_UNKNOWN: Self = Self(2);
}

/// What is wrong with the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServiceError(pub u8);

impl ServiceError {
    /// Not possible.
    pub const OPERATION_NOT_POSSIBLE: Self = Self(1);
    /// Not supported.
    pub const SERVICE_NOT_SUPPORTED: Self = Self(2);
    /// Another reason.
    pub const OTHER_REASON: Self = Self(3);
    /// The APDU is too long.
    pub const PDU_TOO_LONG: Self = Self(4);
    /// The APDU could not be deciphered.
    pub const DECIPHERING_ERROR: Self = Self(5);
    /// The invocation counter was not greater than the last; the one expected follows.
    pub const INVOCATION_COUNTER_ERROR: Self = Self(6);
}

/// exception-response: a request the server does not even begin to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[error("exception response: state error {}, service error {}", state.0, service.0)]
pub struct ExceptionResponse {
    /// Which state made the server refuse.
    pub state: StateError,
    /// What is wrong with the service.
    pub service: ServiceError,
    /// The invocation counter the server expects, with an invocation counter error.
    pub expected_counter: Option<u32>,
}

impl ExceptionResponse {
    /// The tag of the APDU.
    pub const TAG: u8 = 0xD8;

    /// An exception without a counter.
    pub const fn new(state: StateError, service: ServiceError) -> Self {
        Self { state, service, expected_counter: None }
    }

    /// The counter of the request was used before.
    pub const fn counter_expected(expected: u32) -> Self {
        Self {
            state: StateError::SERVICE_NOT_ALLOWED,
            service: ServiceError::INVOCATION_COUNTER_ERROR,
            expected_counter: Some(expected),
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (state, service) = (StateError(reader.u8()?), ServiceError(reader.u8()?));
        // Older meters leave the counter out.
        let counted = service == ServiceError::INVOCATION_COUNTER_ERROR && !reader.is_empty();
        let expected_counter = if counted { Some(reader.u32()?) } else { None };
        Ok(Self { state, service, expected_counter })
    }

    /// Writes the APDU.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.put_array(&[Self::TAG, self.state.0, self.service.0]);
        if let Some(counter) = self.expected_counter {
            writer.u32(counter);
        }
    }
}
