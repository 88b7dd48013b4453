//! What a meter says before, during and after a stimulus.

use meterbench_iec62056::apdu::{AttributeDescriptor, CaptureObject};
use meterbench_iec62056::data::{Data, EncodedData};
use meterbench_iec62056::date_time::{DateTime, NOT_SPECIFIED};
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::{DecodeError, Reader};
use meterbench_instruments::{MeterPort, PortError, RegisterReading};
use meterbench_plan::{EventExpectation, EventKind, Observable, PlayExpectation, PlayTest, Port};
use meterbench_record::Nameplate;
use tokio::time::Instant;

use super::log::{self, Row};
use crate::bench::Bench;

/// Snapshots, and which values are flagged.
const SNAPSHOT: Obis = Obis([1, 0, 99, 128, 0, 255]);
const FLAGS: Obis = Obis([0, 0, 96, 10, 128, 255]);

/// A meter, looked at.
#[derive(Debug, Clone)]
pub(super) struct Look {
    pub(super) clock: ClockReading,
    /// Of each expectation whether this meter can show it, or why not.
    pub(super) sees: Vec<Result<(), String>>,
    /// Rows of the log of power quality events, and of that of the grid.
    pub(super) quality: Vec<Row>,
    pub(super) grid: Vec<Row>,
    /// Counters, in the places of their expectations.
    pub(super) counters: Vec<Option<i128>>,
    /// Snapshots, where one is expected.
    pub(super) snapshots: Vec<Snapshot>,
}

/// A row of the snapshots: time and code of its event, and what was captured (digits).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Snapshot {
    pub(super) begin: DateTime,
    pub(super) code: u8,
    pub(super) values: Vec<i128>,
}

/// UTC (s since 1970) at a moment of bench time, with half of the time the reading took and of its last digit (s).
#[derive(Debug, Clone, Copy)]
pub(super) struct ClockReading {
    pub(super) utc: f64,
    pub(super) at: Instant,
    pub(super) half_width: f64,
}

/// What a meter says while something stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// Nothing was to be read.
    Nothing,
    Register(RegisterReading, bool),
    /// A register that is captured: place in a snapshot, scaler and unit.
    Captured(usize, RegisterReading),
    /// Components of a wave by order, from 1: magnitude (V or A) and angle (deg).
    Spectrum(Vec<(f64, f64)>),
    /// It gave another thing than was asked for.
    Strange(String),
}

/// The first look, with the object list where it is not known yet.
pub(super) async fn before(bench: &mut Bench, place: usize, test: &PlayTest) -> Result<Look, PortError> {
    let port = open(bench, place, test.port).await?;
    let listed = match bench.objects.get(&place) {
        Some(listed) => listed.clone(),
        None => {
            let port = port_of(bench, place, port);
            let listed = port.object_list().await?;
            let listed: Vec<(u16, Obis)> = listed.into_iter().map(|object| (object.class, object.name)).collect();
            bench.objects.insert(place, listed.clone());
            listed
        }
    };
    let plate = &bench.places[place].nameplate;
    let sees = test.expect.iter().map(|expectation| sees(expectation, plate, &listed)).collect();
    let port = port_of(bench, place, port);
    let look = look(port, test, sees).await;
    port.close().await;
    look
}

/// The last look.
pub(super) async fn after(bench: &mut Bench, place: usize, test: &PlayTest, before: &Look) -> Result<Look, PortError> {
    let port = open(bench, place, test.port).await?;
    let port = port_of(bench, place, port);
    let look = look(port, test, before.sees.clone()).await;
    port.close().await;
    look
}

/// Registers and spectra, in the places of their expectations.
pub(super) async fn readings(
    bench: &mut Bench,
    place: usize,
    test: &PlayTest,
    look: &Look,
) -> Result<Vec<Said>, PortError> {
    let is_read = |expectation: &PlayExpectation| {
        matches!(
            expectation.observable,
            Observable::Reading { .. } | Observable::Harmonic { .. } | Observable::Snapshot { .. }
        )
    };
    let mut all = vec![Said::Nothing; test.expect.len()];
    if !test.expect.iter().zip(&look.sees).any(|(expectation, sees)| is_read(expectation) && sees.is_ok()) {
        return Ok(all);
    }
    let port = open(bench, place, test.port).await?;
    let port = port_of(bench, place, port);
    let mut spectra: Vec<(Obis, Said)> = Vec::new();
    let flags = if flags_wanted(test) { read_flags(port).await? } else { 0 };
    for (said, (expectation, sees)) in all.iter_mut().zip(test.expect.iter().zip(&look.sees)) {
        if sees.is_err() {
            continue;
        }
        *said = match &expectation.observable {
            Observable::Reading { object, .. } => match port.register(object.class, object.name).await {
                Ok(reading) => Said::Register(reading, flags & 0x80 >> flag_of(object.name) != 0),
                Err(error @ PortError::Denied { .. }) => Said::Strange(error.to_string()),
                Err(error) => return Err(error),
            },
            Observable::Snapshot { object, .. } => {
                let captured = captured(port).await?;
                match captured.iter().position(|name| *name == object.name) {
                    Some(place) => Said::Captured(place, port.register(object.class, object.name).await?),
                    None => Said::Strange(format!("no {} among what it captures", object.words)),
                }
            }
            Observable::Harmonic { spectrum, .. } => {
                let known = spectra.iter().find(|(name, _)| *name == spectrum.name).map(|(_, said)| said.clone());
                match known {
                    Some(said) => said,
                    None => {
                        let said = read_spectrum(port, spectrum.name).await?;
                        spectra.push((spectrum.name, said.clone()));
                        said
                    }
                }
            }
            _ => Said::Nothing,
        };
    }
    port.close().await;
    Ok(all)
}

/// Comes as reader.
async fn open(bench: &mut Bench, place: usize, port: Port) -> Result<Port, PortError> {
    let reader = bench.places[place].access("reader").clone();
    port_of(bench, place, port).associate(&reader).await?;
    Ok(port)
}

fn port_of(bench: &mut Bench, place: usize, port: Port) -> &mut MeterPort {
    match port {
        Port::Optical => &mut bench.places[place].optical,
        Port::Network => &mut bench.places[place].network,
    }
}

/// The counter of a kind of event, of one phase or of all.
pub(super) fn counter(kind: EventKind, phase: Option<usize>) -> Obis {
    match phase {
        None => Obis([0, 0, 96, 15, kind.code(), 255]),
        Some(phase) => {
            let voltage = [32, 52, 72][phase.min(2)];
            Obis([1, 0, voltage, if kind == EventKind::VoltageSwell { 36 } else { 32 }, 0, 255])
        }
    }
}

/// Whether the object list of a meter has what is expected.
fn sees(expectation: &PlayExpectation, plate: &Nameplate, listed: &[(u16, Obis)]) -> Result<(), String> {
    if let Some(why) = expectation.missing(plate) {
        return Err(why);
    }
    let has = |name: Obis, what: &str| match listed.iter().any(|(_, known)| *known == name) {
        true => Ok(()),
        false => Err(format!("this meter has no {what} ({name})")),
    };
    match &expectation.observable {
        Observable::Event(EventExpectation { kind: Some(kind), .. }) => {
            let (log, words) = if kind.is_of_grid() {
                (log::GRID, "log of grid events")
            } else {
                (log::QUALITY, "log of power quality events")
            };
            has(log, words)?;
            has(counter(*kind, None), &format!("event {}", kind.word()))
        }
        Observable::Event(_) => has(log::QUALITY, "log of power quality events"),
        Observable::Counter { kind, phase, .. } => has(counter(*kind, *phase), &format!("counter of {}", kind.word())),
        Observable::Reading { object, .. } => has(object.name, &object.words),
        Observable::Harmonic { spectrum, .. } => has(spectrum.name, &spectrum.words),
        Observable::Snapshot { kind, object, .. } => {
            has(SNAPSHOT, "snapshot")?;
            has(object.name, &object.words)?;
            has(counter(*kind, None), &format!("event {}", kind.word()))
        }
    }
}

/// Clock, logs and counters, over an association that stands.
async fn look(port: &mut MeterPort, test: &PlayTest, sees: Vec<Result<(), String>>) -> Result<Look, PortError> {
    let clock = read_clock(port).await?;
    let seen = || test.expect.iter().zip(&sees).filter(|(_, sees)| sees.is_ok()).map(|(e, _)| &e.observable);
    let wants = |of_grid: bool| {
        seen().any(|observable| match observable {
            Observable::Event(EventExpectation { kind: Some(kind), .. }) => kind.is_of_grid() == of_grid,
            Observable::Event(_) => !of_grid,
            _ => false,
        })
    };
    let (wants_quality, wants_grid) = (wants(false), wants(true));
    let quality = if wants_quality { read_log(port, log::QUALITY).await? } else { Vec::new() };
    let grid = if wants_grid { read_log(port, log::GRID).await? } else { Vec::new() };
    let mut counters = Vec::new();
    for (expectation, sees) in test.expect.iter().zip(&sees) {
        counters.push(match &expectation.observable {
            Observable::Counter { kind, phase, .. } if sees.is_ok() => {
                Some(read_counter(port, counter(*kind, *phase)).await?)
            }
            _ => None,
        });
    }
    let wants_snapshots = seen().any(|observable| matches!(observable, Observable::Snapshot { .. }));
    let snapshots = if wants_snapshots { read_snapshots(port).await? } else { Vec::new() };
    Ok(Look { clock, sees, quality, grid, counters, snapshots })
}

async fn read_clock(port: &mut MeterPort) -> Result<ClockReading, PortError> {
    let began = Instant::now();
    let shown = port.clock().await?;
    let half = began.elapsed() / 2;
    let utc = shown.hundredths_since_1970().ok_or_else(|| port.protocol("the clock has no date"))?;
    // A clock without hundredths stands anywhere in its second.
    let digit = if shown.time.hundredths == NOT_SPECIFIED { 0.5 } else { 0.005 };
    Ok(ClockReading { utc: utc as f64 / 100.0 + digit, at: began + half, half_width: half.as_secs_f64() + digit })
}

async fn read_log(port: &mut MeterPort, name: Obis) -> Result<Vec<Row>, PortError> {
    let what = format!("event log {name}");
    let octets = port.value(AttributeDescriptor { class: 7, name, attribute: 2 }, None, &what).await?;
    log::rows(&octets).ok_or_else(|| port.protocol(&format!("{what} has rows of another form")))
}

/// Columns of a snapshot in front of what is captured.
const HEAD: usize = 2;

/// What a snapshot captures, behind time and code.
async fn captured(port: &mut MeterPort) -> Result<Vec<Obis>, PortError> {
    let attribute = AttributeDescriptor { class: 7, name: SNAPSHOT, attribute: 3 };
    let octets = port.value(attribute, None, "what a snapshot captures").await?;
    let read = |reader: &mut Reader<'_>| -> Result<Vec<Obis>, DecodeError> {
        (0..reader.array_of()?).map(|_| CaptureObject::decode(reader).map(|object| object.name)).collect()
    };
    let names = read(&mut Reader::new(&octets));
    let names = names.map_err(|error| port.protocol(&format!("what a snapshot captures cannot be read: {error}")))?;
    Ok(names.into_iter().skip(HEAD).collect())
}

async fn read_snapshots(port: &mut MeterPort) -> Result<Vec<Snapshot>, PortError> {
    let attribute = AttributeDescriptor { class: 7, name: SNAPSHOT, attribute: 2 };
    let octets = port.value(attribute, None, "the snapshots").await?;
    snapshots(&octets).ok_or_else(|| port.protocol("the snapshots have rows of another form"))
}

fn snapshots(octets: &[u8]) -> Option<Vec<Snapshot>> {
    let mut reader = Reader::new(octets);
    let mut rows = Vec::new();
    for _ in 0..reader.array_of().ok()? {
        let Data::Structure(fields) = reader.data().ok()? else { return None };
        let fields: Vec<Data<'_>> = fields.iter().collect();
        rows.push(Snapshot {
            begin: fields.first().and_then(Data::date_time)?,
            code: fields.get(1).and_then(Data::integer).and_then(|code| u8::try_from(code).ok())?,
            values: fields.iter().skip(HEAD).map(Data::integer).collect::<Option<_>>()?,
        });
    }
    reader.finish().ok().map(|()| rows)
}

fn flags_wanted(test: &PlayTest) -> bool {
    let flagged = |e: &PlayExpectation| matches!(e.observable, Observable::Reading { flagged: Some(_), .. });
    test.expect.iter().any(flagged)
}

/// Which values are flagged: of the last window, 150 cycles, ten minutes, two hours, ten seconds, from the highest bit down.
async fn read_flags(port: &mut MeterPort) -> Result<u8, PortError> {
    let attribute = AttributeDescriptor { class: 1, name: FLAGS, attribute: 2 };
    let octets = port.value(attribute, None, "what is flagged").await?;
    match EncodedData::new(&octets).map(|value| value.value()) {
        Ok(Data::BitString(bits)) => Ok(bits.octets().first().copied().unwrap_or(0)),
        _ => Err(port.protocol("what is flagged is no bit string")),
    }
}

/// Which flag is that of a register, by its name.
fn flag_of(name: Obis) -> u8 {
    match name.0 {
        [_, _, 14, 130, ..] => 4,
        [_, _, _, 131, ..] => 3,
        [_, _, _, 24, ..] => 2,
        [_, _, _, 130, ..] => 1,
        _ => 0,
    }
}

async fn read_counter(port: &mut MeterPort, name: Obis) -> Result<i128, PortError> {
    let what = format!("counter {name}");
    let octets = port.value(AttributeDescriptor { class: 1, name, attribute: 2 }, None, &what).await?;
    let count = EncodedData::new(&octets).ok().and_then(|value| value.value().integer());
    count.ok_or_else(|| port.protocol(&format!("{what} is no number")))
}

async fn read_spectrum(port: &mut MeterPort, name: Obis) -> Result<Said, PortError> {
    let attribute = AttributeDescriptor { class: 1, name, attribute: 2 };
    let octets = match port.get(attribute).await? {
        Ok(octets) => octets,
        Err(result) => return Ok(Said::Strange(meterbench_instruments::result_words(result.0))),
    };
    // Voltages are in mV, currents in 0.1 mA.
    let digit = if matches!(name.0[2], 32 | 52 | 72) { 1e-3 } else { 1e-4 };
    Ok(spectrum(&octets, digit).map_or_else(|_| Said::Strange("no spectrum".to_owned()), Said::Spectrum))
}

/// An array of structures of magnitude (in `digit`) and angle (0.01 deg).
fn spectrum(octets: &[u8], digit: f64) -> Result<Vec<(f64, f64)>, DecodeError> {
    let mut reader = Reader::new(octets);
    let mut orders = Vec::new();
    for _ in 0..reader.array_of()? {
        reader.structure_of(2)?;
        let mut number = || reader.data().map(|data: Data<'_>| data.integer().unwrap_or(0) as f64);
        orders.push((number()? * digit, number()? / 100.0));
    }
    reader.finish()?;
    Ok(orders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_of_a_phase_are_those_of_the_standard() {
        assert_eq!(counter(EventKind::VoltageDip, Some(1)).to_string(), "1-0:52.32.0*255");
        assert_eq!(counter(EventKind::VoltageSwell, Some(2)).to_string(), "1-0:72.36.0*255");
        assert_eq!(counter(EventKind::LostNeutral, None).to_string(), "0-0:96.15.137*255");
    }

    #[test]
    fn a_spectrum_is_an_array_of_pairs() {
        let octets = [1, 2, 2, 2, 6, 0, 3, 0x82, 0x70, 16, 0, 0, 2, 2, 6, 0, 0, 0x35, 0xE8, 16, 0x46, 0x50];
        assert_eq!(spectrum(&octets, 1e-3).unwrap(), [(230.0, 0.0), (13.8, 180.0)]);
        assert!(spectrum(&octets[..20], 1e-3).is_err());
    }
}
