//! What must be refused: wrong keys, requests heard before, less protection than the role needs.
//!
//! Each is proved three times: the meter refuses, its security log says so, and nothing has changed.

use meterbench_iec62056::acse::Mechanism;
use meterbench_iec62056::apdu::{Apdu, AttributeDescriptor, GetRequest, InvokeIdAndPriority};
use meterbench_iec62056::client::{ClientError, Credentials};
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;
use meterbench_iec62056::security::{Key, SecurityControl};
use meterbench_instruments::PortError;

use super::evidence::code;
use super::{Finding, Talk};

const REFUSED: &[u8] = &[code::AUTHENTICATION_FAILED, code::NOT_GENUINE];
pub(super) const REPLAYED: &[u8] = &[code::REPLAYED];

/// The serial number: what every role may read.
fn harmless(out: &mut Writer<'_>) {
    let name = Obis([0, 0, 96, 1, 0, 255]);
    let reference = AttributeDescriptor { class: 1, name, attribute: 2 }.into();
    GetRequest::Normal { invoke: InvokeIdAndPriority::confirmed(1, true), reference }.encode(out);
}

impl Talk<'_> {
    /// Keys that are wrong by one bit.
    pub(super) async fn wrong_key(&mut self, role: &str) -> Result<(), PortError> {
        let access = self.access(role)?;
        let Some((encryption, authentication)) = access.keys.clone() else { return Ok(()) };
        let off_by_a_bit = |key: &Key| {
            let mut octets = key.0;
            octets[7] ^= 0x10;
            Key(octets)
        };
        let wrong = [
            ("encryption key", (off_by_a_bit(&encryption), authentication.clone())),
            ("authentication key", (encryption.clone(), off_by_a_bit(&authentication))),
        ];
        for (which, keys) in wrong {
            let before = self.before(REFUSED, None).await?;
            let credentials = self.port.credentials(&access).await?;
            let outcome =
                self.port.associate_with(Credentials { keys: Some(keys), ..credentials }, access.client).await;
            let subject = format!("{role}, {which} wrong by one bit");
            self.association_refused(&subject, outcome);
            self.after(&before, &subject).await?;
        }
        // The right ones open the association as before.
        let found = match self.associate(role).await {
            Err(error) if !error.is_of_meter() => return Err(error),
            Err(error) => error.to_string(),
            Ok(()) => "open".to_owned(),
        };
        self.find(Finding::met(&format!("{role}, right keys"), "association", found == "open", &found, "open", None));
        Ok(())
    }

    /// Requests that were heard before: within the association, in the next, and the request for an association itself.
    pub(super) async fn replay(&mut self, role: &str) -> Result<(), PortError> {
        let subject = format!("{role}, the same request twice");
        let before = self.before(REPLAYED, None).await?;
        self.associate(role).await?;
        let association = self.port.last_association().to_vec();
        let challenge = self.port.last_challenge().to_vec();
        let heard = self.port.protect(SecurityControl::BOTH, harmless)?;
        let answer = self.port.exchange(&heard).await?;
        self.port.open(&answer)?;
        self.repeated(&subject, &heard).await?;
        self.after(&before, &subject).await?;

        let subject = format!("{role}, a request of the association before");
        let before = self.before(REPLAYED, None).await?;
        self.associate(role).await?;
        let new = !challenge.is_empty() && self.port.last_challenge() != challenge;
        let found = if new { "new" } else { "that of before" };
        self.find(Finding::met(&format!("{role}, the next association"), "challenge", new, found, "new", None));
        self.repeated(&subject, &heard).await?;
        self.after(&before, &subject).await?;

        let subject = format!("{role}, the association of before");
        let before = self.before(REPLAYED, None).await?;
        let client = self.access(role)?.client;
        self.port.attach(client).await?;
        self.repeated(&subject, &association).await?;
        self.after(&before, &subject).await
    }

    /// Sends octets that were sent before: nothing may come of it.
    pub(super) async fn repeated(&mut self, subject: &str, heard: &[u8]) -> Result<(), PortError> {
        let answer = match self.port.exchange(heard).await {
            Ok(answer) => Some(answer),
            // A meter may also say nothing; what follows shows whether it lives.
            Err(PortError::Silent { .. } | PortError::NoLink { .. }) => None,
            Err(error) => return Err(error),
        };
        let (refused, found) = refusal(answer.as_deref());
        self.find(Finding::met(subject, "answer", refused, &found, "refused", None));
        Ok(())
    }

    /// Associations and requests that are protected less than the role needs.
    pub(super) async fn downgrade(&mut self, role: &str) -> Result<(), PortError> {
        let access = self.access(role)?;
        let other = if role == "management" { "reader" } else { "management" };
        let keys_of_another = self.access(other)?.keys;
        type Change = fn(Credentials) -> Credentials;
        let less: [(&str, Change); 3] = [
            ("without authentication", |c| Credentials { mechanism: Mechanism::LOWEST, keys: None, ..c }),
            ("with a password, plain", |c| Credentials { mechanism: Mechanism::LOW, keys: None, ..c }),
            ("with a challenge, plain", |c| Credentials { keys: None, ..c }),
        ];
        for (how, change) in less {
            let subject = format!("{role} {how}");
            let before = self.before(REFUSED, None).await?;
            let credentials = change(self.port.credentials(&access).await?);
            let outcome = self.port.associate_with(credentials, access.client).await;
            self.association_refused(&subject, outcome);
            self.after(&before, &subject).await?;
        }
        let subject = format!("{role} with the keys of {other}");
        let before = self.before(REFUSED, None).await?;
        let credentials = Credentials { keys: keys_of_another, ..self.port.credentials(&access).await? };
        let outcome = self.port.associate_with(credentials, access.client).await;
        self.association_refused(&subject, outcome);
        self.after(&before, &subject).await?;

        for (how, control) in [
            ("plain", None),
            ("only encrypted", Some(SecurityControl::ENCRYPTED)),
            ("only authenticated", Some(SecurityControl::AUTHENTICATED)),
        ] {
            let subject = format!("{role}, a request {how}");
            let before = self.before(REFUSED, None).await?;
            self.associate(role).await?;
            let request = match control {
                Some(control) => self.port.protect(control, harmless)?,
                None => {
                    let mut octets = [0; 64];
                    let mut writer = Writer::new(&mut octets);
                    harmless(&mut writer);
                    let length = writer.finish().unwrap_or(0);
                    octets[..length].to_vec()
                }
            };
            self.repeated(&subject, &request).await?;
            self.after(&before, &subject).await?;
        }
        Ok(())
    }

    /// Judges an association that must not open.
    fn association_refused(&mut self, subject: &str, outcome: Result<(), PortError>) {
        let (refused, found) = match outcome {
            Ok(()) => (false, "open".to_owned()),
            Err(PortError::Silent { .. } | PortError::NoLink { .. }) => (true, "no answer".to_owned()),
            Err(PortError::Refused { source, .. }) => {
                let refused =
                    matches!(source, ClientError::Refused(_) | ClientError::Exception(_) | ClientError::NotAccepted(_));
                (refused, if refused { source.to_string() } else { format!("admitted, and then: {source}") })
            }
            Err(error) => (false, error.to_string()),
        };
        self.find(Finding::met(subject, "association", refused, &found, "refused", None));
    }
}

/// Whether an answer refuses, and in which words.
fn refusal(answer: Option<&[u8]>) -> (bool, String) {
    let Some(answer) = answer else { return (true, "no answer".to_owned()) };
    match Apdu::decode(answer) {
        Ok(Apdu::ExceptionResponse(exception)) => {
            (true, format!("exception (service {}, state {})", exception.service.0, exception.state.0))
        }
        Ok(Apdu::AssociationResponse(response)) if response.result.0 != 0 => (true, "association refused".to_owned()),
        Ok(Apdu::AssociationResponse(_)) => (false, "association admitted".to_owned()),
        Ok(Apdu::Ciphered(_)) => (false, "carried out".to_owned()),
        Ok(_) => (false, "answered".to_owned()),
        Err(error) => (false, format!("an answer that cannot be read: {error}")),
    }
}
