//! The codes of ACSE. Unknown ones survive a round trip.

/// What the association speaks: which names, ciphered or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ApplicationContext(pub u8);

impl ApplicationContext {
    /// Logical names.
    pub const LOGICAL_NAMES: Self = Self(1);
    /// Short names.
    pub const SHORT_NAMES: Self = Self(2);
    /// Logical names, ciphered APDUs allowed.
    pub const LOGICAL_NAMES_CIPHERED: Self = Self(3);
    /// Short names, ciphered APDUs allowed.
    pub const SHORT_NAMES_CIPHERED: Self = Self(4);
    /// A name that is not one of DLMS. Not encoded as it came: answer it with a refusal.
    pub const FOREIGN: Self = Self(0);

    /// Whether ciphered APDUs are allowed.
    pub const fn is_ciphered(self) -> bool {
        matches!(self, Self::LOGICAL_NAMES_CIPHERED | Self::SHORT_NAMES_CIPHERED)
    }
}

/// How a party proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mechanism(pub u8);

impl Mechanism {
    /// No authentication.
    pub const LOWEST: Self = Self(0);
    /// A password.
    pub const LOW: Self = Self(1);
    /// A challenge, in a way of the manufacturer.
    pub const HIGH: Self = Self(2);
    /// A challenge answered with MD5.
    pub const HIGH_MD5: Self = Self(3);
    /// A challenge answered with SHA-1.
    pub const HIGH_SHA1: Self = Self(4);
    /// A challenge answered with GMAC.
    pub const HIGH_GMAC: Self = Self(5);
    /// A challenge answered with SHA-256.
    pub const HIGH_SHA256: Self = Self(6);
    /// A challenge answered with ECDSA.
    pub const HIGH_ECDSA: Self = Self(7);
    /// A name that is not one of DLMS. Not encoded as it came: answer it with a refusal.
    pub const FOREIGN: Self = Self(0xFF);

    /// Whether the mechanism exchanges challenges after the association was opened.
    pub const fn is_high(self) -> bool {
        matches!(self.0, 2..=7)
    }
}

/// Whether the association was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AssociationResult(pub u8);

impl AssociationResult {
    /// Accepted.
    pub const ACCEPTED: Self = Self(0);
    /// Rejected for good.
    pub const REJECTED_PERMANENT: Self = Self(1);
    /// Rejected for now.
    pub const REJECTED_TRANSIENT: Self = Self(2);
}

/// What the user of ACSE says to the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserDiagnostic(pub u8);

impl UserDiagnostic {
    /// Nothing.
    pub const NULL: Self = Self(0);
    /// Rejected without a reason.
    pub const NO_REASON_GIVEN: Self = Self(1);
    /// The application context is not supported.
    pub const CONTEXT_NOT_SUPPORTED: Self = Self(2);
    /// The calling AP title is not recognised.
    pub const CALLING_AP_TITLE_NOT_RECOGNISED: Self = Self(3);
    /// The mechanism is not recognised.
    pub const MECHANISM_NOT_RECOGNISED: Self = Self(11);
    /// A mechanism is required.
    pub const MECHANISM_REQUIRED: Self = Self(12);
    /// Authentication failed.
    pub const AUTHENTICATION_FAILURE: Self = Self(13);
    /// Authentication is required: with an accepted association, the challenges follow.
    pub const AUTHENTICATION_REQUIRED: Self = Self(14);
}

/// What the provider of ACSE says to the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProviderDiagnostic(pub u8);

impl ProviderDiagnostic {
    /// Nothing.
    pub const NULL: Self = Self(0);
    /// Rejected without a reason.
    pub const NO_REASON_GIVEN: Self = Self(1);
    /// No version of ACSE in common.
    pub const NO_COMMON_ACSE_VERSION: Self = Self(2);
}

/// Who says what to the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Diagnostic {
    /// The user of ACSE.
    User(UserDiagnostic),
    /// The provider of ACSE.
    Provider(ProviderDiagnostic),
}

/// Why an association is released, or what the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReleaseReason(pub u8);

impl ReleaseReason {
    /// Normal, in request and response.
    pub const NORMAL: Self = Self(0);
    /// Urgent in a request, not finished in a response.
    pub const URGENT: Self = Self(1);
    /// Defined by the user.
    pub const USER_DEFINED: Self = Self(30);
}
