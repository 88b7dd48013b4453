//! What proves that a meter refused: its logger has the event, and nothing else of it has changed.

use std::time::Duration;

use meterbench_iec62056::apdu::AttributeDescriptor;
use meterbench_iec62056::obis::Obis;
use meterbench_instruments::{ListedObject, LoggedEvent, PortError};
use tokio::time::sleep;

use super::{Finding, Talk};

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
    values: Vec<(Obis, i8, Vec<u8>)>,
    /// The minute of the meter's clock (since 1970).
    minute: i64,
    codes: &'static [u8],
}

fn minute(event: &LoggedEvent) -> i64 {
    event.at.hundredths_since_1970().map_or(i64::MIN, |at| at.div_euclid(6000))
}

impl Talk<'_> {
    /// Looks at everything that stands still, as management. `codes`: events of which one must be logged.
    ///
    /// A logger may keep one event of a kind a minute: where it has one of this minute, the next is waited for.
    pub(super) async fn before(&mut self, codes: &'static [u8]) -> Result<Before, PortError> {
        self.associate("management").await?;
        let values = self.standing_values().await?;
        let clock = |at: meterbench_iec62056::date_time::DateTime| at.hundredths_since_1970().unwrap_or(0);
        let mut now = clock(self.port.clock().await?);
        let events = self.port.events(SECURITY_LOG).await?;
        let logged_now = |event: &LoggedEvent| codes.contains(&event.code) && minute(event) == now.div_euclid(6000);
        if events.last().is_some_and(logged_now) {
            let rest = 6000 - now.rem_euclid(6000) + 100;
            sleep(Duration::from_millis(u64::try_from(10 * rest).unwrap_or(61_000))).await;
            self.associate("management").await?;
            now = clock(self.port.clock().await?);
        }
        self.port.close().await;
        Ok(Before { values, minute: now.div_euclid(6000), codes })
    }

    /// Looks again: the event stands in the log, and nothing has changed.
    pub(super) async fn after(&mut self, before: &Before, subject: &str) -> Result<(), PortError> {
        self.port.close().await;
        self.associate("management").await?;
        let events = self.port.events(SECURITY_LOG).await?;
        let logged =
            events.iter().rev().find(|event| before.codes.contains(&event.code) && minute(event) >= before.minute);
        let found = logged.map_or("not logged".to_owned(), |event| format!("event {} at {}", event.code, event.at));
        let wanted: Vec<String> = before.codes.iter().map(u8::to_string).collect();
        let expected = format!("event {} in the security log", wanted.join(" or "));
        self.find(Finding::met(subject, "event", logged.is_some(), &found, &expected, None));
        let mut changed = Vec::new();
        for (name, attribute, value) in self.standing_values().await? {
            let was = before.values.iter().find(|(of, number, _)| (*of, *number) == (name, attribute));
            if was.is_none_or(|(_, _, was)| *was != value) {
                changed.push(format!("{name} attribute {attribute}"));
            }
        }
        let found = if changed.is_empty() { "unchanged" } else { "changed" };
        let note = (!changed.is_empty()).then(|| format!("changed: {}", changed.join(", ")));
        self.find(Finding::met(subject, "data", changed.is_empty(), found, "unchanged", note));
        self.port.close().await;
        Ok(())
    }

    /// Every attribute that management reads and that nothing but a client changes.
    async fn standing_values(&mut self) -> Result<Vec<(Obis, i8, Vec<u8>)>, PortError> {
        let (objects, at_rest) = (self.port.object_list().await?, self.at_rest);
        let mut values = Vec::new();
        for object in &objects {
            for right in object.attributes.iter().filter(|right| right.read && stands(object, right.attribute, at_rest))
            {
                let attribute =
                    AttributeDescriptor { class: object.class, name: object.name, attribute: right.attribute };
                if let Ok(value) = self.port.get(attribute).await? {
                    values.push((object.name, right.attribute, value));
                }
            }
        }
        Ok(values)
    }
}

/// Whether an attribute changes by itself: time, readings, demand, logs, counters, and energies under load do.
fn stands(object: &ListedObject, attribute: i8, at_rest: bool) -> bool {
    let [a, _, c, d, ..] = object.name.0;
    match object.class {
        // Invocation counters, the last event and the status of the newest row go on.
        1 => !matches!((a, c, d), (0, 43, 1) | (0, 96, 10 | 11)),
        3 => attribute != 2 || d == 8 && at_rest,
        8 => !matches!(attribute, 2 | 4),
        9 | 11 | 17 | 19 | 20 | 22 | 23 | 41 | 64 => true,
        _ => false,
    }
}
