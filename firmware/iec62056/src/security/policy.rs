use super::SecurityControl;

/// What the security setup of an association demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecurityPolicy {
    /// The enumeration of version 0: 0 nothing, 1 authenticated, 2 encrypted, 3 both; for either direction.
    Version0(u8),
    /// The bits of version 1: 2 to 4 for requests, 5 to 7 for responses, each authenticated, encrypted, signed.
    Version1(u8),
}

/// Which way an APDU goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client.
    Request,
    /// From the server.
    Response,
}

/// The least protection of an APDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Requirement {
    /// It has a tag.
    pub authenticated: bool,
    /// It is encrypted.
    pub encrypted: bool,
    /// It is signed.
    pub signed: bool,
}

impl SecurityPolicy {
    /// Whether the policy is one of those defined.
    pub const fn is_known(self) -> bool {
        match self {
            Self::Version0(policy) => policy <= 3,
            Self::Version1(policy) => policy & 0b11 == 0,
        }
    }

    /// What this direction demands. An unknown value of version 0 demands everything symmetric keys can do.
    pub const fn requires(self, direction: Direction) -> Requirement {
        let bits = match (self, direction) {
            (Self::Version0(policy), _) if policy > 3 => 0b011,
            (Self::Version0(policy), _) => policy,
            (Self::Version1(policy), Direction::Request) => policy >> 2,
            (Self::Version1(policy), Direction::Response) => policy >> 5,
        };
        Requirement { authenticated: bits & 1 != 0, encrypted: bits & 2 != 0, signed: bits & 4 != 0 }
    }

    /// The control octet of a response: what the policy demands, and no less than the request had.
    pub const fn response_control(self, suite: u8, request: SecurityControl) -> SecurityControl {
        self.requires(Direction::Response).control(suite).at_least(request)
    }
}

impl Requirement {
    /// Whether an APDU with this control, or none when it came plain, is protected enough.
    pub const fn is_met(self, control: Option<SecurityControl>, signed: bool) -> bool {
        let (authenticated, encrypted) = match control {
            Some(control) => (control.is_authenticated(), control.is_encrypted()),
            None => (false, false),
        };
        (authenticated || !self.authenticated) && (encrypted || !self.encrypted) && (signed || !self.signed)
    }

    /// The control octet that meets this.
    pub const fn control(self, suite: u8) -> SecurityControl {
        SecurityControl((suite & 0x0F) | (self.authenticated as u8) << 4 | (self.encrypted as u8) << 5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_met_by_its_own_control_and_by_no_less() {
        for value in 0..=u8::MAX {
            for policy in [SecurityPolicy::Version0(value), SecurityPolicy::Version1(value)] {
                for direction in [Direction::Request, Direction::Response] {
                    let requirement = policy.requires(direction);
                    let control = requirement.control(0);
                    assert!(requirement.is_met(Some(control), requirement.signed));
                    for bit in [0x10, 0x20] {
                        let less = SecurityControl(control.0 & !bit);
                        assert_eq!(requirement.is_met(Some(less), requirement.signed), less == control);
                    }
                    assert_eq!(requirement.is_met(None, false), requirement == Requirement::default());
                }
            }
        }
    }

    #[test]
    fn a_response_is_protected_no_less_than_its_request() {
        let policy = SecurityPolicy::Version1(1 << 5);
        assert_eq!(policy.response_control(0, SecurityControl::ENCRYPTED), SecurityControl::BOTH);
        assert_eq!(policy.response_control(0, SecurityControl(0)), SecurityControl::AUTHENTICATED);
    }
}
