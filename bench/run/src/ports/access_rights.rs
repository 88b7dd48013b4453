//! Every role, every object, every attribute and method: what the meter does against what its object list says and what the
//! plan allows.
//!
//! Nothing is changed by it on a meter that keeps its rights. Where a right is expected to be refused, what was read is written
//! back, and a method is called with the parameter zero; where it is expected to be granted, a value of the wrong type shows
//! that the right is there.

use meterbench_iec62056::apdu::{AttributeDescriptor, DataAccessResult, MethodDescriptor, SelectiveAccess};
use meterbench_iec62056::client::ClientError;
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::octets::Writer;
use meterbench_instruments::{ListedObject, PortError};
use meterbench_plan::{ROLES, RightsRule};
use meterbench_record::Value;
use serde_json::json;

use super::objects::is_denied;
use super::{Finding, Talk, plan_limit};

/// `null-data`: no attribute and no parameter has this type.
const NULL: [u8; 1] = [0];
/// `integer 0`
const ZERO: [u8; 2] = [15, 0];

/// What a role does with an object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Read,
    Write,
    Act,
}

impl Doing {
    fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "written",
            Self::Act => "called",
        }
    }

    /// The letter of the matrix.
    fn letter(self) -> char {
        match self {
            Self::Read => 'r',
            Self::Write => 'w',
            Self::Act => 'x',
        }
    }
}

/// Letters of the cells of one role and object, and what departs.
#[derive(Default)]
struct Cells {
    words: Vec<String>,
    /// In words, with the attributes or methods of which it is so.
    departures: Vec<(String, Vec<i8>)>,
    tried: u32,
}

impl Talk<'_> {
    /// One finding for each role and object: how many of its cells depart.
    pub(super) async fn access_rights(&mut self, rules: &[RightsRule]) -> Result<(), PortError> {
        let every = self.every_object().await?;
        self.associate("management").await?;
        let values = self.values(&every).await?;
        for role in ROLES {
            self.associate(role).await?;
            let own = self.port.object_list().await?;
            for object in &every {
                let claimed = own.iter().find(|row| (row.class, row.name) == (object.class, object.name));
                let cells = self.try_object(role, object, claimed, rules, &values).await?;
                self.find(finding(role, object, &cells));
            }
            self.port.close().await;
        }
        Ok(())
    }

    /// What stands in the list of any role: what is hidden from one is tried by it too.
    async fn every_object(&mut self) -> Result<Vec<ListedObject>, PortError> {
        let mut every: Vec<ListedObject> = Vec::new();
        for role in ROLES {
            self.associate(role).await?;
            for object in self.port.object_list().await? {
                let Some(known) = every.iter_mut().find(|row| (row.class, row.name) == (object.class, object.name))
                else {
                    every.push(object);
                    continue;
                };
                for right in object.attributes {
                    if !known.attributes.iter().any(|own| own.attribute == right.attribute) {
                        known.attributes.push(right);
                    }
                }
                for method in object.methods {
                    if !known.methods.iter().any(|own| own.0 == method.0) {
                        known.methods.push(method);
                    }
                }
            }
        }
        if every.is_empty() {
            return Err(self.port.protocol("the object lists of all roles are empty"));
        }
        Ok(every)
    }

    /// What management reads of every attribute, to be written back.
    async fn values(&mut self, objects: &[ListedObject]) -> Result<Vec<(AttributeDescriptor, Vec<u8>)>, PortError> {
        let mut values = Vec::new();
        for object in objects {
            for right in object.attributes.iter().filter(|right| right.read) {
                let attribute = of(object, right.attribute);
                // What one role alone is shown may end the service for another.
                match self.get_little(attribute).await {
                    Ok(Ok(value)) if value.len() < 600 => values.push((attribute, value)),
                    Ok(_) => {}
                    Err(PortError::Refused { source: ClientError::Exception(_), .. }) => {
                        self.associate("management").await?;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(values)
    }

    async fn try_object(
        &mut self,
        role: &str,
        object: &ListedObject,
        claimed: Option<&ListedObject>,
        rules: &[RightsRule],
        values: &[(AttributeDescriptor, Vec<u8>)],
    ) -> Result<Cells, PortError> {
        let rule = rules.iter().find(|rule| rule.objects.iter().any(|pattern| pattern.matches(object.name)));
        let mut cells = Cells::default();
        if rule.is_none() {
            cells.departures.push(("no rule of the plan names this object".to_owned(), Vec::new()));
        }
        let may = |doing: Doing| {
            rule.is_some_and(|rule| match doing {
                Doing::Read => rule.read.contains(&role),
                Doing::Write => rule.write.contains(&role),
                Doing::Act => rule.act.contains(&role),
            })
        };
        for right in &object.attributes {
            let attribute = of(object, right.attribute);
            let claim = claimed.and_then(|row| row.attributes.iter().find(|own| own.attribute == right.attribute));
            // A name may be read by whoever knows it.
            let may_read = may(Doing::Read) || right.attribute == 1;
            let claims_read = claim.is_some_and(|claim| claim.read);
            let read = self.granted(role, Request::Get(attribute), claims_read).await?;
            cells.compare(Doing::Read, right.attribute, read, claims_read, may_read);
            let (claimed, may_write) = (claim.is_some_and(|claim| claim.write), may(Doing::Write));
            let known = values.iter().find(|(of, _)| *of == attribute).map_or(&NULL[..], |(_, value)| value);
            let value = if claimed && may_write { &NULL[..] } else { known };
            let written = self.granted(role, Request::Set(attribute, value), claimed).await?;
            cells.compare(Doing::Write, right.attribute, written, claimed, may_write);
            cells.words.push(format!(
                "{}{}",
                right.attribute,
                letters(&[(Doing::Read, read), (Doing::Write, written)])
            ));
        }
        for &(number, _) in &object.methods {
            let method = MethodDescriptor { class: object.class, name: object.name, method: number };
            let claim = claimed.and_then(|row| row.methods.iter().find(|own| own.0 == number));
            let (claimed, may_act) = (claim.is_some_and(|claim| claim.1), may(Doing::Act));
            let parameter = if claimed && may_act { &NULL[..] } else { &ZERO[..] };
            let called = self.granted(role, Request::Act(method, parameter), claimed).await?;
            cells.compare(Doing::Act, number, called, claimed, may_act);
            cells.words.push(format!("m{number}{}", letters(&[(Doing::Act, called)])));
        }
        Ok(cells)
    }

    /// Whether the rights let a request through, whatever becomes of it. An association that a request ended is opened anew.
    async fn granted(&mut self, role: &str, request: Request<'_>, claimed: bool) -> Result<bool, PortError> {
        let answered = match request {
            Request::Get(attribute) => self.get_little(attribute).await.map(|given| given.err().map_or(0, |e| e.0)),
            Request::Set(attribute, value) => self.port.set(attribute, value).await.map(|result| result.0),
            Request::Act(method, parameter) => self.port.act(method, Some(parameter)).await.map(|result| result.0),
        };
        match answered {
            // A method that the class has and the meter does not is as its list says.
            Ok(result) if is_denied(result) && matches!(request, Request::Act(..)) && claimed => {
                Ok(result != DataAccessResult::READ_WRITE_DENIED.0)
            }
            Ok(result) => Ok(!is_denied(result)),
            // The service itself is refused to this client, or the link is taken from it.
            Err(PortError::Refused { source: ClientError::Exception(_), .. } | PortError::NoLink { .. }) => {
                self.associate(role).await?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// GET; of a profile the first row.
    async fn get_little(
        &mut self,
        attribute: AttributeDescriptor,
    ) -> Result<Result<Vec<u8>, DataAccessResult>, PortError> {
        if (attribute.class, attribute.attribute) != (7, 2) {
            return self.port.get(attribute).await;
        }
        let mut octets = [0; 32];
        let mut writer = Writer::new(&mut octets);
        writer.structure(4);
        writer.double_long_unsigned(1);
        writer.double_long_unsigned(1);
        writer.long_unsigned(1);
        writer.long_unsigned(0);
        let length = writer.finish().unwrap_or(0);
        let access =
            EncodedData::new(&octets[..length]).ok().map(|parameters| SelectiveAccess { selector: 2, parameters });
        self.port.get_part(attribute, access).await
    }
}

#[derive(Clone, Copy)]
enum Request<'v> {
    Get(AttributeDescriptor),
    Set(AttributeDescriptor, &'v [u8]),
    Act(MethodDescriptor, &'v [u8]),
}

fn of(object: &ListedObject, attribute: i8) -> AttributeDescriptor {
    AttributeDescriptor { class: object.class, name: object.name, attribute }
}

fn letters(cells: &[(Doing, bool)]) -> String {
    cells.iter().map(|&(doing, granted)| if granted { doing.letter() } else { '-' }).collect()
}

impl Cells {
    /// What the meter does must be what it says; no more than the plan allows, and no less where it is read.
    fn compare(&mut self, doing: Doing, number: i8, granted: bool, claimed: bool, allowed: bool) {
        self.tried += 1;
        let word = doing.word();
        if granted && !allowed {
            self.depart(format!("can be {word} against the plan"), number);
        }
        // Who may read reads all; what can be written and called is the class's to say.
        if doing == Doing::Read && allowed && !granted {
            self.depart("cannot be read against the plan".to_owned(), number);
        }
        if granted != claimed {
            let (can, says) = if granted { ("can", "cannot") } else { ("cannot", "can") };
            self.depart(format!("{can} be {word}, the object list says it {says}"), number);
        }
    }

    fn depart(&mut self, how: String, number: i8) {
        match self.departures.iter_mut().find(|(known, _)| *known == how) {
            Some((_, numbers)) => numbers.push(number),
            None => self.departures.push((how, vec![number])),
        }
    }

    /// `2, 3, 5 can be written against the plan`
    fn departed(&self) -> Option<String> {
        let numbers = |numbers: &[i8]| numbers.iter().map(i8::to_string).collect::<Vec<_>>().join(", ");
        let one = |(how, which): &(String, Vec<i8>)| format!("{} {how}", numbers(which)).trim_start().to_owned();
        let all: Vec<String> = self.departures.iter().map(one).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

fn finding(role: &str, object: &ListedObject, cells: &Cells) -> Finding {
    let subject = format!("{role} {}", object.name);
    let departures = cells.departures.iter().map(|(_, numbers)| numbers.len().max(1)).sum::<usize>();
    let departures = i64::try_from(departures).unwrap_or(i64::MAX);
    let limit = plan_limit(None, Some(0.0), "cells that depart from the rights");
    let mut finding = Finding::figure(&subject, "access-rights", Value::Integer(departures), "1", limit);
    finding.raw.insert("role".into(), json!(role));
    finding.raw.insert("class".into(), json!(object.class));
    finding.raw.insert("object".into(), json!(object.name.to_string()));
    finding.raw.insert("cells".into(), json!(cells.words.join(" ")));
    finding.raw.insert("tried".into(), json!(cells.tried));
    finding.note = cells.departed();
    finding
}
