//! Associations one after the other, and what a meter does without one.

use std::time::Duration;

use meterbench_iec62056::apdu::{Apdu, AttributeDescriptor};
use meterbench_iec62056::obis::Obis;
use meterbench_instruments::PortError;
use meterbench_record::Value;
use tokio::time::sleep;

use super::{Finding, Talk, plan_limit};

/// Longer than any port waits for its client.
const IDLE: Duration = Duration::from_secs(600);
/// GET of the serial number, plain.
const PLAIN_GET: [u8; 13] = [0xC0, 1, 0xC1, 0, 1, 0, 0, 96, 1, 0, 255, 2, 0];

impl Talk<'_> {
    /// Without an association nothing is given; so many can follow each other; one that was given back, or left alone, is gone.
    pub(super) async fn association_limits(&mut self, role: &str, times: u64) -> Result<(), PortError> {
        let access = self.access(role)?;
        self.port.attach(access.client).await?;
        self.nothing_is_given(&format!("{role} without an association")).await?;

        let serial = AttributeDescriptor { class: 1, name: Obis([0, 0, 96, 1, 0, 255]), attribute: 2 };
        let (mut opened, mut first_failure) = (0_u64, None);
        for _ in 0..times {
            let done = match self.port.associate(&access).await {
                Ok(()) => self.port.get(serial).await.map(|given| given.is_ok()),
                Err(error) => Err(error),
            };
            let done = match done {
                Ok(given) => self.port.release().await.map(|()| given),
                Err(error) => Err(error),
            };
            match done {
                Ok(true) => opened += 1,
                Ok(false) => first_failure = first_failure.or(Some("the serial number is not given".to_owned())),
                Err(error) if error.is_of_meter() => first_failure = first_failure.or(Some(error.to_string())),
                Err(error) => return Err(error),
            }
        }
        let limit = plan_limit(Some(times as f64), Some(times as f64), "associations in a row");
        let value = Value::Integer(i64::try_from(opened).unwrap_or(i64::MAX));
        let mut finding = Finding::figure(&format!("{role}, {times} associations"), "opened", value, "1", limit);
        finding.note = first_failure;
        self.find(finding);

        self.port.associate(&access).await?;
        self.port.release().await?;
        self.nothing_is_given(&format!("{role} after the release")).await?;

        self.port.close().await;
        self.associate(role).await?;
        sleep(IDLE).await;
        let subject = format!("{role} after {} min of silence", IDLE.as_secs() / 60);
        let outcome = self.port.get(serial).await;
        let (gone, found) = match outcome {
            Ok(_) => (false, "still open"),
            Err(_) => (true, "gone"),
        };
        self.find(Finding::met(&subject, "association", gone, found, "gone", None));
        self.port.close().await;
        // And the meter is there for whoever comes next.
        self.associate(role).await?;
        self.find(Finding::met(&format!("{role} once more"), "association", true, "open", "open", None));
        Ok(())
    }

    async fn nothing_is_given(&mut self, subject: &str) -> Result<(), PortError> {
        let answer = match self.port.exchange(&PLAIN_GET).await {
            Ok(answer) => answer,
            // What follows shows whether the meter lives.
            Err(PortError::Silent { .. } | PortError::NoLink { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let given = matches!(Apdu::decode(&answer), Ok(Apdu::GetResponse(_) | Apdu::Ciphered(_)));
        let found = if given { "answered" } else { "refused" };
        self.find(Finding::met(subject, "answer", !given, found, "refused", None));
        Ok(())
    }
}
