//! Objects of a meter as a client reads them.

use meterbench_iec62056::apdu::AttributeDescriptor;
use meterbench_iec62056::data::{Data, EncodedData};
use meterbench_iec62056::date_time::DateTime;
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::{DecodeError, Reader};

use super::{MeterPort, PortError};

/// Value, scaler and unit of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegisterReading {
    /// Digits, to be taken times ten to the power of the scaler.
    pub digits: i128,
    pub scaler: i8,
    /// Unit of IEC 62056-6-2: 30 for Wh, 32 for varh.
    pub unit: u8,
}

impl RegisterReading {
    /// In its unit.
    pub fn value(&self) -> f64 {
        self.digits as f64 * self.resolution()
    }

    /// What one more digit means.
    pub fn resolution(&self) -> f64 {
        10f64.powi(i32::from(self.scaler))
    }
}

/// What the object list says a role may do with an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeRight {
    pub attribute: i8,
    pub read: bool,
    pub write: bool,
}

/// A row of an object list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    pub class: u16,
    pub name: Obis,
    pub attributes: Vec<AttributeRight>,
    /// Methods, and whether the role may call them.
    pub methods: Vec<(i8, bool)>,
}

/// A row of an event logger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoggedEvent {
    pub at: DateTime,
    pub code: u8,
}

/// Rows of an object list that are read: what follows is an error of the list.
const MOST_OBJECTS: usize = 2000;
/// The current association.
const ASSOCIATION: Obis = Obis([0, 0, 40, 0, 0, 255]);
/// The clock.
const CLOCK: Obis = Obis([0, 0, 1, 0, 0, 255]);

impl MeterPort {
    /// Value, scaler and unit of a register (class 3) or an extended one (class 4).
    pub async fn register(&mut self, class: u16, name: Obis) -> Result<RegisterReading, PortError> {
        let attribute = |attribute| AttributeDescriptor { class, name, attribute };
        let what = format!("register {name}");
        let value = self.value(attribute(2), None, &what).await?;
        let digits = EncodedData::new(&value).ok().and_then(|value| value.value().integer());
        let scaler_unit = self.value(attribute(3), None, &what).await?;
        let scaler_unit = read(&scaler_unit, |reader| {
            reader.structure_of(2)?;
            let scaler = reader.integer()?;
            match reader.data()? {
                Data::Enum(unit) => Ok((scaler, unit)),
                _ => Ok((scaler, 255)),
            }
        });
        match (digits, scaler_unit) {
            (Some(digits), Ok((scaler, unit))) => Ok(RegisterReading { digits, scaler, unit }),
            _ => Err(self.protocol(&format!("{what} has no number, or no scaler and unit"))),
        }
    }

    /// The object list of the association that stands.
    pub async fn object_list(&mut self) -> Result<Vec<ListedObject>, PortError> {
        let list = AttributeDescriptor { class: 15, name: ASSOCIATION, attribute: 2 };
        let octets = self.value(list, None, "the object list").await?;
        read(&octets, listed).map_err(|error| self.protocol(&format!("the object list cannot be read: {error}")))
    }

    /// Date and time of the meter.
    pub async fn clock(&mut self) -> Result<DateTime, PortError> {
        let octets = self.value(AttributeDescriptor { class: 8, name: CLOCK, attribute: 2 }, None, "the clock").await?;
        let time = EncodedData::new(&octets).ok().and_then(|value| value.value().date_time());
        time.ok_or_else(|| self.protocol("the clock gives no date and time"))
    }

    /// Rows of an event logger, oldest first: every row begins with date and time, and its code.
    pub async fn events(&mut self, name: Obis) -> Result<Vec<LoggedEvent>, PortError> {
        let what = format!("event log {name}");
        let octets = self.value(AttributeDescriptor { class: 7, name, attribute: 2 }, None, &what).await?;
        read(&octets, logged).map_err(|error| self.protocol(&format!("{what} cannot be read: {error}")))
    }
}

fn read<T>(octets: &[u8], take: impl FnOnce(&mut Reader<'_>) -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    let mut reader = Reader::new(octets);
    let taken = take(&mut reader)?;
    reader.finish()?;
    Ok(taken)
}

fn listed(reader: &mut Reader<'_>) -> Result<Vec<ListedObject>, DecodeError> {
    let mut objects = Vec::new();
    for _ in 0..reader.array_of()?.min(MOST_OBJECTS) {
        reader.structure_of(4)?;
        let class = reader.long_unsigned()?;
        let _version = reader.unsigned()?;
        let name = reader.logical_name()?;
        reader.structure_of(2)?;
        let mut attributes = Vec::new();
        for _ in 0..reader.array_of()? {
            reader.structure_of(3)?;
            let (attribute, mode) = (reader.integer()?, reader.enumeration()?);
            reader.data()?;
            // 4 to 6 are 1 to 3 by an authenticated client.
            let (read, write) = (matches!(mode, 1 | 3 | 4 | 6), matches!(mode, 2 | 3 | 5 | 6));
            attributes.push(AttributeRight { attribute, read, write });
        }
        let mut methods = Vec::new();
        for _ in 0..reader.array_of()? {
            reader.structure_of(2)?;
            methods.push((reader.integer()?, reader.enumeration()? != 0));
        }
        objects.push(ListedObject { class, name, attributes, methods });
    }
    Ok(objects)
}

fn logged(reader: &mut Reader<'_>) -> Result<Vec<LoggedEvent>, DecodeError> {
    let mut events = Vec::new();
    for _ in 0..reader.array_of()? {
        let Data::Structure(row) = reader.data()? else { continue };
        let mut fields = row.iter();
        let at = fields.next().and_then(|field| field.date_time());
        let code = fields.next().and_then(|field| field.integer()).and_then(|code| u8::try_from(code).ok());
        if let (Some(at), Some(code)) = (at, code) {
            events.push(LoggedEvent { at, code });
        }
    }
    Ok(events)
}
