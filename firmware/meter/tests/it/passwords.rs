//! Low level security: passwords, at the optical port of a meter whose local encryption is off.

use meterbench_iec62056::server::Interface;

use super::ports::configuration;
use super::*;

const VARIANT_2: &str = "686-11-11B-N24-3001-001";

/// A client of this role with a password, where it comes in, at a meter whose configuration has this Z28.
fn line(role: Role, interface: Interface, z28: &str, password: u8) -> Line {
    let by_password = Credentials { mechanism: Mechanism::LOW, secret: [password; 16], ..Credentials::public() };
    let mut line = Line::new(VARIANT_2, role, by_password);
    line.meter = meter(VARIANT_2).with_configuration(&configuration("02", "000", z28));
    line.server = Server::at(interface);
    line
}

#[test]
fn a_password_opens_the_optical_port_where_local_encryption_is_off_and_nothing_else() {
    use Interface::{Local, Network};
    for (role, interface, z28, password, opens) in [
        (Role::Reader, Local, "2", 50, true),
        (Role::Installer, Local, "2", 51, true),
        (Role::Reader, Local, "2", 51, false),
        (Role::Reader, Network, "2", 50, false),
        (Role::Reader, Local, "1", 50, false),
        (Role::Reader, Local, "0", 50, false),
        (Role::Management, Local, "2", 0, false),
    ] {
        let mut line = line(role, interface, z28, password);
        let associated = line.associate();
        assert_eq!(associated.is_ok(), opens, "{role:?} {interface:?} {z28} {password}: {associated:?}");
        if !opens {
            continue;
        }
        assert_eq!(line.get(3, "1-0:1.8.0", 2).unwrap(), [6, 0, 0, 0, 0]);
        let writes = line.set(23, "0-0:22.0.0", 8, &Data::LongUnsigned(77)).is_success();
        assert_eq!(writes, role == Role::Installer, "the rights are those of the role");
        // The association says how it came: logical names without ciphering, a password.
        assert_eq!(line.get(15, "0-0:40.0.0", 4).unwrap(), [9, 7, 0x60, 0x85, 0x74, 5, 8, 1, 1]);
        assert_eq!(line.get(15, "0-0:40.0.0", 6).unwrap(), [9, 7, 0x60, 0x85, 0x74, 5, 8, 2, 1]);
    }
}

#[test]
fn a_wrong_password_is_told_in_the_log_and_keys_open_the_same_port() {
    let mut line = line(Role::Reader, Interface::Local, "2", 49);
    let refused = Err(ClientError::Refused(Diagnostic::User(UserDiagnostic::AUTHENTICATION_FAILURE)));
    assert_eq!(line.associate(), refused);
    let mut short = credentials(Role::Reader, false);
    short.keys = None;
    short.mechanism = Mechanism::LOW;
    line.client = Client::new(short);
    assert_eq!(line.associate(), refused, "a secret of another kind");
    line.client = Client::new(credentials(Role::Reader, false));
    line.associate().unwrap();
    assert_eq!(line.get(1, "0-0:96.11.1", 2).unwrap(), [17, 46]);
}
