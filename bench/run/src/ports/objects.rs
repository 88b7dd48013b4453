//! Reading, writing and calling single objects.

use meterbench_iec62056::apdu::{AttributeDescriptor, DataAccessResult, MethodDescriptor};
use meterbench_iec62056::client::ClientError;
use meterbench_iec62056::data::EncodedData;
use meterbench_instruments::{PortError, result_words};
use meterbench_plan::{Answer, DlmsValue, ObjectName, READ_UNITS, ReadExpectation, ReadValue};
use meterbench_record::Value;
use meterbench_standards::gum::Budget;
use serde_json::json;

use super::evidence::code;
use super::{Finding, Talk, plan_limit};

impl Talk<'_> {
    /// Reads registers and data, and compares each with what the plan expects.
    pub(super) async fn read(&mut self, role: &str, expect: &[ReadExpectation]) -> Result<(), PortError> {
        self.associate(role).await?;
        for ReadExpectation { object, value } in expect {
            let read = match value {
                ReadValue::Text(text) => self.read_text(object, text).await,
                ReadValue::Number { low, high, unit } => self.read_number(object, (*low, *high), unit).await,
            };
            let finding = match read {
                Err(PortError::Denied { result, .. }) => {
                    Finding::met(&object.words, "access", false, &result_words(result.0), "given", None)
                }
                other => other?,
            };
            self.find(finding);
        }
        Ok(())
    }

    async fn read_text(&mut self, object: &ObjectName, text: &str) -> Result<Finding, PortError> {
        let attribute = AttributeDescriptor { class: object.class, name: object.name, attribute: 2 };
        let octets = match self.port.get(attribute).await? {
            Ok(octets) => octets,
            Err(result) => {
                return Ok(Finding::met(&object.words, "text", false, &result_words(result.0), text, None));
            }
        };
        let value = EncodedData::new(&octets).ok().map(|value| value.value());
        let read = match value {
            Some(value) => match (value.octets(), value.integer()) {
                (Some(letters), _) => String::from_utf8_lossy(letters).into_owned(),
                (None, Some(number)) => number.to_string(),
                (None, None) => format!("{value:?}"),
            },
            None => "no value".to_owned(),
        };
        Ok(Finding::met(&object.words, "text", read == text, &read, text, None))
    }

    async fn read_number(
        &mut self,
        object: &ObjectName,
        (low, high): (Option<f64>, Option<f64>),
        unit: &'static str,
    ) -> Result<Finding, PortError> {
        let reading = self.port.register(object.class, object.name).await?;
        let (_, code, factor) = READ_UNITS.into_iter().find(|(known, ..)| *known == unit).unwrap_or(("1", 255, 1.0));
        let limit = plan_limit(low, high, &object.words);
        let value = Value::Number(reading.value() / factor);
        let mut finding = Finding::figure(&object.words, "reading", value, unit, limit);
        finding.raw.insert("digits".into(), json!(i64::try_from(reading.digits).unwrap_or(i64::MAX)));
        finding.raw.insert("scaler".into(), json!(reading.scaler));
        finding.raw.insert("unit".into(), json!(reading.unit));
        let digit = Budget::default().rectangular("register: last digit", reading.resolution() / factor / 2.0);
        finding.uncertainty = Some(digit.combine());
        if reading.unit != code {
            let note = format!("the meter says unit {}, {unit} is unit {code}", reading.unit);
            return Ok(Finding::met(&object.words, "unit", false, "another", unit, Some(note)));
        }
        Ok(finding)
    }

    /// Writes an attribute. What is refused is refused, logged, and leaves nothing behind; what is granted reads back; of a value
    /// that is invalid nothing stands.
    pub(super) async fn write(
        &mut self,
        role: &str,
        object: &ObjectName,
        attribute: i8,
        value: &DlmsValue,
        answer: Answer,
    ) -> Result<(), PortError> {
        let subject = format!("{role} writes {} attribute {attribute}", object.words);
        let attribute = AttributeDescriptor { class: object.class, name: object.name, attribute };
        if answer == Answer::Invalid {
            self.associate(role).await?;
            let before = self.port.get(attribute).await?;
            let result = self.port.set(attribute, &value.octets).await?;
            let refused = result != DataAccessResult::SUCCESS && !is_denied(result.0);
            self.find(Finding::met(
                &subject,
                "access",
                refused,
                &result_words(result.0),
                "refused for its value",
                None,
            ));
            let same = self.port.get(attribute).await? == before && before.is_ok();
            let found = if same { "unchanged" } else { "changed" };
            self.find(Finding::met(&subject, "data", same, found, "unchanged", None));
            return Ok(());
        }
        if answer == Answer::Granted {
            self.associate(role).await?;
            let result = self.port.set(attribute, &value.octets).await?;
            self.succeeded(&subject, result.0);
            let back = self.port.get(attribute).await?;
            let same = back.as_ref().is_ok_and(|back| *back == value.octets);
            let found = match &back {
                Ok(_) if same => "as written".to_owned(),
                Ok(other) => hexadecimal(other),
                Err(result) => result_words(result.0),
            };
            self.find(Finding::met(&subject, "read-back", same, &found, &value.words, None));
            return Ok(());
        }
        let before = self.before(&[code::ACCESS_DENIED], Some(attribute)).await?;
        self.associate(role).await?;
        let answered = self.port.set(attribute, &value.octets).await;
        self.refused(&subject, answered.map(|result| result.0))?;
        self.after(&before, &subject).await
    }

    /// Calls a method.
    pub(super) async fn act(
        &mut self,
        role: &str,
        object: &ObjectName,
        method: i8,
        parameter: Option<&DlmsValue>,
        granted: bool,
    ) -> Result<(), PortError> {
        let subject = format!("{role} calls {} method {method}", object.words);
        let method = MethodDescriptor { class: object.class, name: object.name, method };
        let parameter = parameter.map(|value| &value.octets[..]);
        if granted {
            self.associate(role).await?;
            let result = self.port.act(method, parameter).await?;
            self.succeeded(&subject, result.0);
            return Ok(());
        }
        let before = self.before(&[code::ACCESS_DENIED], None).await?;
        self.associate(role).await?;
        let answered = self.port.act(method, parameter).await;
        self.refused(&subject, answered.map(|result| result.0))?;
        self.after(&before, &subject).await
    }

    fn succeeded(&mut self, subject: &str, result: u8) {
        let done = result == DataAccessResult::SUCCESS.0;
        self.find(Finding::met(subject, "access", done, &result_words(result), "success", None));
    }

    /// Denied, or hidden, or a service that this client is not offered. All else has been tried by the meter.
    fn refused(&mut self, subject: &str, answered: Result<u8, PortError>) -> Result<(), PortError> {
        let (refused, found) = match answered {
            Ok(result) => (is_denied(result), result_words(result)),
            Err(PortError::Refused { source: ClientError::Exception(_), .. }) => (true, "exception".to_owned()),
            Err(error) => return Err(error),
        };
        self.find(Finding::met(subject, "access", refused, &found, "refused", None));
        Ok(())
    }
}

/// Results by which a meter says that it does not do this for this client.
pub(super) fn is_denied(result: u8) -> bool {
    matches!(
        DataAccessResult(result),
        DataAccessResult::READ_WRITE_DENIED | DataAccessResult::OBJECT_UNDEFINED | DataAccessResult::OBJECT_UNAVAILABLE
    )
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}
