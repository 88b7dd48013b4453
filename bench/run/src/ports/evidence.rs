//! What proves that a meter refused: its logger has the event, and nothing else of it has changed.

use std::time::Duration;

use meterbench_iec62056::apdu::AttributeDescriptor;
use meterbench_iec62056::date_time::DateTime;
use meterbench_iec62056::obis::Obis;
use meterbench_instruments::{ListedObject, LoggedEvent, PortError};
use tokio::time::sleep;

use super::{Finding, Talk};

/// Longer than a minute.
const A_MINUTE: Duration = Duration::from_secs(61);
/// Octets of the longest value that stands still.
const LONGEST_STANDING: usize = 64 * 1024;
/// The security log.
const SECURITY_LOG: Obis = Obis([0, 0, 99, 98, 1, 255]);

/// Events of the security log, by the codes that companion specifications use; the last is the manufacturer's.
pub(super) mod code {
    pub(crate) const AUTHENTICATION_FAILED: u8 = 46;
    pub(crate) const NOT_GENUINE: u8 = 49;
    pub(crate) const REPLAYED: u8 = 50;
    pub(crate) const ACCESS_DENIED: u8 = 231;
}

/// What stands in a meter before something is tried.
pub(super) struct Before {
    values: Vec<(AttributeDescriptor, Vec<u8>)>,
    events: Vec<LoggedEvent>,
    codes: &'static [u8],
    /// What is tried is written to this.
    target: Option<AttributeDescriptor>,
}

/// The minute of a time (since 1970); none for a clock without a date.
fn minute(at: &DateTime) -> Option<i64> {
    at.hundredths_since_1970().map(|at| at.div_euclid(6000))
}

impl Talk<'_> {
    /// Looks at everything that stands still, and at the target, as management. `codes`: events of which one must be logged.
    ///
    /// A logger may keep one event of a kind a minute: where it has one of this minute, the next is waited for.
    pub(super) async fn before(
        &mut self,
        codes: &'static [u8],
        target: Option<AttributeDescriptor>,
    ) -> Result<Before, PortError> {
        self.associate("management").await?;
        let values = self.standing_values(target).await?;
        let now = self.port.clock().await?;
        let events = self.port.events(SECURITY_LOG).await?;
        if events.iter().any(|event| codes.contains(&event.code) && minute(&event.at) == minute(&now)) {
            self.port.close().await;
            sleep(A_MINUTE).await;
        }
        self.port.close().await;
        Ok(Before { values, events, codes, target })
    }

    /// Looks again: a row that was not there stands in the log, and nothing has changed.
    pub(super) async fn after(&mut self, before: &Before, subject: &str) -> Result<(), PortError> {
        self.port.close().await;
        self.associate("management").await?;
        let events = self.port.events(SECURITY_LOG).await?;
        let is_new = |event: &&LoggedEvent| before.codes.contains(&event.code) && !before.events.contains(event);
        let logged = events.iter().rev().find(is_new);
        let found = logged.map_or("not logged".to_owned(), |event| format!("event {} at {}", event.code, event.at));
        let wanted: Vec<String> = before.codes.iter().map(u8::to_string).collect();
        let expected = format!("event {} in the security log", wanted.join(" or "));
        self.find(Finding::met(subject, "event", logged.is_some(), &found, &expected, None));
        let values = self.standing_values(before.target).await?;
        let missing = |of: &[(AttributeDescriptor, Vec<u8>)], row: &(AttributeDescriptor, Vec<u8>)| !of.contains(row);
        let mut changed: Vec<String> = values
            .iter()
            .filter(|row| missing(&before.values, row))
            .chain(before.values.iter().filter(|row| missing(&values, row)))
            .map(|(of, _)| format!("{} attribute {}", of.name, of.attribute))
            .collect();
        changed.dedup();
        let same = changed.is_empty() && !values.is_empty();
        let found = if same { "unchanged" } else { "changed" };
        let note = (!same).then(|| format!("changed: {}", changed.join(", ")));
        let mut finding = Finding::met(subject, "data", same, found, "unchanged", note);
        finding.raw.insert("attributes".into(), values.len().into());
        self.find(finding);
        self.port.close().await;
        Ok(())
    }

    /// Every attribute that management reads and that nothing but a client changes.
    async fn standing_values(
        &mut self,
        target: Option<AttributeDescriptor>,
    ) -> Result<Vec<(AttributeDescriptor, Vec<u8>)>, PortError> {
        let (objects, at_rest) = (self.port.object_list().await?, self.at_rest);
        let mut values = Vec::new();
        for object in &objects {
            for right in object.attributes.iter().filter(|right| right.read) {
                let attribute =
                    AttributeDescriptor { class: object.class, name: object.name, attribute: right.attribute };
                if !stands(object, right.attribute, at_rest) && target != Some(attribute) {
                    continue;
                }
                if let Ok(value) = self.port.get(attribute).await? {
                    if value.len() > LONGEST_STANDING {
                        return Err(self.port.protocol(&format!("{} has {} octets", object.name, value.len())));
                    }
                    values.push((attribute, value));
                }
            }
        }
        Ok(values)
    }
}

/// Whether an attribute changes by itself: time, readings, demand, logs, counters, and energies under load do.
fn stands(object: &ListedObject, attribute: i8, at_rest: bool) -> bool {
    let [a, _, c, d, e, _] = object.name.0;
    match object.class {
        // Invocation counters, the last event, the status of the newest row, counts of events, alarms and spectra go on.
        1 => !matches!(
            (a, c, d, e),
            (0, 43, 1, _)
                | (0, 96, 10 | 11 | 15, _)
                | (0, 97, 98, 0)
                | (1, 31 | 32 | 51 | 52 | 71 | 72, 32 | 36 | 128, _)
        ),
        3 => attribute != 2 || d == 8 && at_rest,
        8 => !matches!(attribute, 2 | 4),
        9 | 11 | 17 | 19 | 20 | 22 | 23 | 41 | 64 => true,
        _ => false,
    }
}
