//! Power quality as a client reads it, from the samples on: events, counters, values, limits, snapshots, power cuts.

use meterbench_iec62056::apdu::CaptureObject;
use meterbench_iec62056::date_time::DateTime;
use meterbench_meter::{Image, Memory, Outage, WorkArea, Workspace};
use meterbench_metrology::CycleSums;

use super::*;

const SINGLE_PHASE: &str = "686-2-41D-1112AA70-1B14001";
const OMNIPOWER: &str = "686-11-11B-N14-3001-001";
const QUALITY_LOG: &str = "0-0:99.98.4";
const GRID_LOG: &str = "0-0:99.98.5";
const SNAPSHOT: &str = "1-0:99.128.0";
/// Samples of a cycle at 50 Hz.
const CYCLE: u64 = 160;
/// Counts of a volt and an ampere.
const VOLT: f64 = 8_388_608.0 / 600.0;
const AMPERE: f64 = 8_388_608.0 / 200.0;

fn workspace() -> Workspace {
    Workspace::Static(Box::leak(Box::new(WorkArea::new())))
}

fn memory() -> Memory {
    Memory::Static(Box::leak(vec![0; 16_384].into_boxed_slice()))
}

/// What stands at the terminals: voltages as phasors (of Un, and degrees), currents (A) in phase with them, harmonics of all
/// voltages (order, of the fundamental, degrees), frequency (Hz).
#[derive(Clone)]
struct Wave {
    voltage: [(f64, f64); 3],
    current: f64,
    harmonics: Vec<(f64, f64, f64)>,
    frequency: f64,
}

impl Wave {
    fn healthy() -> Self {
        let voltage = [(1.0, 0.0), (1.0, -120.0), (1.0, 120.0)];
        Self { voltage, current: 10.0, harmonics: Vec::new(), frequency: 50.0 }
    }

    /// With these magnitudes.
    fn of(magnitudes: [f64; 3]) -> Self {
        let mut wave = Self::healthy();
        wave.voltage.iter_mut().zip(magnitudes).for_each(|(voltage, magnitude)| voltage.0 = magnitude);
        wave
    }

    fn frame(&self, angle: f64) -> Frame {
        let mut frame = Frame::default();
        for (n, (magnitude, degrees)) in self.voltage.iter().enumerate() {
            let at = angle + degrees.to_radians();
            let harmonics =
                self.harmonics.iter().map(|(order, share, lead)| share * (order * at + lead.to_radians()).sin());
            let wave = at.sin() + harmonics.sum::<f64>();
            frame.voltage[n] = (230.0 * magnitude * std::f64::consts::SQRT_2 * VOLT * wave).round() as i32;
            frame.current[n] = (self.current * std::f64::consts::SQRT_2 * AMPERE * at.sin()).round() as i32;
        }
        frame
    }
}

/// A meter on a wave, and its angle.
struct Fed {
    line: Line,
    angle: f64,
}

impl Fed {
    /// That has run for two seconds; its clock shows noon of 21 November 2026, UTC.
    fn new(type_number: &str, role: Role) -> Self {
        let mut line = Line::new(type_number, role, credentials(role, false));
        line.meter = meter(type_number).with_memory(memory()).with_workspace(workspace());
        line.meter.set_clock(849_268_800).unwrap();
        let mut fed = Self { line, angle: 0.0 };
        fed.play(&Wave::healthy(), 16_000);
        fed.line.associate().unwrap();
        fed
    }

    /// So many samples of a wave.
    fn play(&mut self, wave: &Wave, samples: u64) {
        let step = std::f64::consts::TAU * wave.frequency / 8000.0;
        let frames: Vec<_> = (0..samples)
            .map(|_| {
                self.angle += step;
                wave.frame(self.angle - step)
            })
            .collect();
        self.line.meter.process(&frames, |_| ());
    }

    fn healthy(&mut self, samples: u64) {
        self.play(&Wave::healthy(), samples);
    }

    fn number(&mut self, class: u16, name: &str) -> Option<i128> {
        let octets = self.line.get(class, name, 2).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        EncodedData::new(&octets).unwrap().value().integer()
    }

    fn events(&mut self, log: &str) -> Vec<Event> {
        events(&self.line.get(7, log, 2).unwrap())
    }

    /// Code, phases, duration and worst value of the events in a log.
    fn brief(&mut self, log: &str) -> Vec<(u8, u8, u32, i32)> {
        self.events(log).iter().map(|event| (event.code, event.phases, event.duration_ms, event.extreme)).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Event {
    begun: DateTime,
    code: u8,
    phases: u8,
    duration_ms: u32,
    extreme: i32,
}

fn events(buffer: &[u8]) -> Vec<Event> {
    let mut reader = Reader::new(buffer);
    let rows = (0..reader.array_of().unwrap()).map(|_| {
        reader.structure_of(5).unwrap();
        Event {
            begun: reader.date_time().unwrap(),
            code: reader.unsigned().unwrap(),
            phases: reader.unsigned().unwrap(),
            duration_ms: reader.double_long_unsigned().unwrap(),
            extreme: reader.double_long().unwrap(),
        }
    });
    let rows = rows.collect();
    reader.finish().unwrap();
    rows
}

/// Hundredths of a second of a day.
fn hundredths(at: &DateTime) -> u32 {
    let time = at.time;
    ((u32::from(time.hour) * 60 + u32::from(time.minute)) * 60 + u32::from(time.second)) * 100
        + u32::from(time.hundredths)
}

#[test]
fn dips_are_read_with_begin_duration_phases_and_residual_voltage() {
    let mut fed = Fed::new(THREE_PHASE, Role::Reader);
    // A whole cycle of L1 begins here, 2 s after noon.
    fed.play(&Wave::of([0.4, 1.0, 1.0]), 10 * CYCLE);
    fed.healthy(4 * CYCLE);
    fed.play(&Wave::of([0.7, 1.0, 0.6]), 25 * CYCLE);
    fed.healthy(4 * CYCLE);
    let rows = fed.events(QUALITY_LOG);
    assert_eq!(rows.iter().map(|row| (row.code, row.phases)).collect::<Vec<_>>(), [(128, 1), (128, 5)]);
    // One half cycle either way by the method; 0.2 % of Udin.
    assert!(rows[0].duration_ms.abs_diff(200) <= 10 && rows[0].extreme.abs_diff(4000) <= 20, "{rows:?}");
    assert!(rows[1].duration_ms.abs_diff(500) <= 20 && rows[1].extreme.abs_diff(6000) <= 20, "{rows:?}");
    let noon = 13 * 360_000;
    assert!(hundredths(&rows[0].begun).abs_diff(noon + 200) <= 2, "{:?}", rows[0].begun);
    assert!(hundredths(&rows[1].begun).abs_diff(noon + 228) <= 2, "{:?}", rows[1].begun);
    assert_eq!(fed.number(1, "0-0:96.15.128"), Some(2));
    assert_eq!(fed.number(1, "0-0:96.11.4"), Some(128));
    assert_eq!(["32", "52", "72"].map(|c| fed.number(1, &format!("1-0:{c}.32.0"))), [Some(2), Some(0), Some(1)]);
    assert_eq!((129..139).filter(|k| fed.number(1, &format!("0-0:96.15.{k}")) != Some(0)).count(), 0);
    let last = fed.line.get(1, "0-0:96.11.132", 2).unwrap();
    assert_eq!(last[..6], [2, 4, 17, 128, 17, 5]);
    assert_eq!(fed.number(1, "0-0:97.98.0"), Some(1));
    // Rows are read in part as those of any log.
    assert_eq!(fed.line.get(7, QUALITY_LOG, 7).unwrap(), [6, 0, 0, 0, 2]);
    assert_eq!(fed.line.get(7, QUALITY_LOG, 8).unwrap(), [6, 0, 0, 0, 64]);
    let columns = fed.line.get(7, QUALITY_LOG, 3).unwrap();
    assert_eq!((columns[..2].to_vec(), columns.len()), (vec![1, 5], 2 + 5 * 18));
}

#[test]
fn every_residual_voltage_and_duration_of_the_staircase_is_read_as_the_method_says() {
    // Residual voltage, and what Urms(1/2) gives of 10, 20, 40 and 100 ms: duration (ms) and lowest value (% of Udin), None for
    // what is not seen. The dip begins and ends at a crossing of L1, which synchronises.
    type Read = Option<(u32, f64)>;
    #[rustfmt::skip]
    let table: [(f64, [Read; 4]); 6] = [
        (0.89, [None,                Some((10, 89.0)), Some((30, 89.0)), Some(( 90, 89.0))]),
        (0.85, [None,                Some((10, 85.0)), Some((30, 85.0)), Some(( 90, 85.0))]),
        (0.80, [None,                Some((20, 80.0)), Some((40, 80.0)), Some((100, 80.0))]),
        (0.70, [Some((20, 86.31)),   Some((30, 70.0)), Some((50, 70.0)), Some((110, 70.0))]),
        (0.50, [Some((20, 79.06)),   Some((30, 50.0)), Some((50, 50.0)), Some((110, 50.0))]),
        (0.00, [Some((20, 70.71)),   Some((30,  0.0)), Some((50,  0.0)), Some((110,  0.0))]),
    ];
    let mut fed = Fed::new(THREE_PHASE, Role::Reader);
    let mut seen = 0;
    for (residual, row) in table {
        for (expected, halves) in row.into_iter().zip([1, 2, 4, 10]) {
            fed.play(&Wave::of([residual, 1.0, 1.0]), halves * CYCLE / 2);
            fed.healthy(20 * CYCLE);
            let rows = fed.brief(QUALITY_LOG);
            let what = format!("{residual} for {halves} half cycles: {rows:?}");
            let Some((ms, lowest)) = expected else {
                assert_eq!(rows.len(), seen, "{what}");
                continue;
            };
            seen += 1;
            assert_eq!(rows.len(), seen, "{what}");
            let (code, phases, duration, extreme) = rows[seen - 1];
            assert_eq!((code, phases), (128, 1), "{what}");
            // A sample of the crossing; 0.2 % of Udin.
            assert!(duration.abs_diff(ms) <= 1, "{what}");
            assert!((f64::from(extreme) - 100.0 * lowest).abs() <= 20.0, "{what}");
        }
    }
    assert_eq!(fed.number(1, "0-0:96.15.128"), Some(seen as i128));
}

#[test]
fn swells_and_interruptions_are_read() {
    let mut fed = Fed::new(THREE_PHASE, Role::Reader);
    fed.play(&Wave::of([1.0, 1.2, 1.0]), 50 * CYCLE);
    fed.healthy(50 * CYCLE);
    fed.play(&Wave::of([0.0; 3]), 50 * CYCLE);
    fed.healthy(50 * CYCLE);
    fed.play(&Wave::of([0.06; 3]), 50 * CYCLE);
    fed.healthy(50 * CYCLE);
    fed.play(&Wave::of([0.0, 0.0, 1.0]), 50 * CYCLE);
    fed.healthy(50 * CYCLE);
    let rows = fed.brief(QUALITY_LOG);
    assert_eq!(rows.iter().map(|row| (row.0, row.1)).collect::<Vec<_>>(), [(129, 2), (130, 7), (128, 7), (128, 3)]);
    // Of three phases two are cut off their zero crossings: one cycle.
    assert!(rows.iter().all(|row| row.2.abs_diff(1000) <= 20), "{rows:?}");
    assert!(rows[0].3.abs_diff(12_000) <= 20 && rows[1].3 <= 5 && rows[2].3.abs_diff(600) <= 20 && rows[3].3 <= 5);
    assert_eq!(fed.number(1, "1-0:52.36.0"), Some(1));
    assert_eq!([0, 1, 2].map(|k| fed.number(1, &format!("0-0:96.15.{}", 128 + k))), [Some(2), Some(1), Some(1)]);
}

#[test]
fn a_rapid_change_is_read_and_a_ramp_is_none() {
    let mut fed = Fed::new(THREE_PHASE, Role::Reader);
    fed.play(&Wave::of([0.94; 3]), 150 * CYCLE);
    let rows = fed.brief(QUALITY_LOG);
    assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), [134]);
    assert!(rows[0].1 == 7 && rows[0].2 <= 20 && rows[0].3.abs_diff(600) <= 20, "{rows:?}");
    for n in 0..300 {
        fed.play(&Wave::of([0.94 + f64::from(n) * 0.0002; 3]), CYCLE);
    }
    assert_eq!(fed.events(QUALITY_LOG).len(), 1);
}

#[test]
fn harmonics_distortion_and_unbalance_are_read() {
    let mut fed = Fed::new(THREE_PHASE, Role::Reader);
    let wave = Wave { harmonics: vec![(5.0, 0.06, 0.0), (7.0, 0.05, 90.0), (50.0, 0.01, 0.0)], ..Wave::healthy() };
    fed.play(&wave, 80 * CYCLE);
    let mut near = |class, name: &str, expected: i128, within: i128| {
        let found = fed.number(class, name).unwrap();
        assert!((found - expected).abs() <= within, "{name}: {found}, expected {expected}");
    };
    // 0.05 % of the fundamental.
    near(3, "1-0:32.7.5", 13_800, 115);
    near(3, "1-0:72.7.7", 11_500, 115);
    near(3, "1-0:52.7.3", 0, 115);
    near(3, "1-0:32.7.124", 787, 5);
    near(3, "1-0:31.7.124", 0, 5);
    near(3, "1-0:12.129.2", 0, 5);
    near(3, "1-0:12.129.0", 0, 5);
    // Of the last 150 cycles most were without harmonics.
    near(3, "1-0:32.130.0", 23_000, 40);
    assert_eq!(fed.line.get(3, "1-0:32.7.5", 3).unwrap(), [2, 2, 15, 0xFD, 22, 35]);
    assert_eq!(fed.line.get(3, "1-0:31.7.5", 3).unwrap(), [2, 2, 15, 0xFC, 22, 33]);
    assert_eq!(fed.line.get(3, "1-0:32.7.124", 3).unwrap(), [2, 2, 15, 0xFE, 22, 56]);
    assert_eq!(fed.line.get(3, "1-0:32.24.0", 2).unwrap(), [0], "ten minutes are not over");

    let spectrum = fed.line.get(1, "1-0:32.128.0", 2).unwrap();
    let mut reader = Reader::new(&spectrum);
    assert_eq!(reader.array_of(), Ok(50));
    let mut order = || {
        reader.structure_of(2).unwrap();
        (reader.double_long_unsigned().unwrap(), reader.long().unwrap())
    };
    let orders: Vec<_> = (0..50).map(|_| order()).collect();
    for (order, magnitude, angle) in [(1, 230_000, 0), (5, 13_800, 0), (7, 11_500, 9_000), (50, 2_300, 0)] {
        let (found, at) = orders[order - 1];
        assert!(found.abs_diff(magnitude) <= 230 && at.abs_diff(angle) <= 200, "order {order}: {found} mV at {at}");
    }
    // L2 lags by a third of a turn.
    let l2 = fed.line.get(1, "1-0:52.128.0", 2).unwrap();
    let mut reader = Reader::new(&l2[4..]);
    reader.double_long_unsigned().unwrap();
    assert!(reader.long().unwrap().abs_diff(-12_000) <= 50);

    let mut unbalanced = Wave::healthy();
    unbalanced.voltage[0].0 = 0.95;
    fed.play(&unbalanced, 40 * CYCLE);
    let mut near = |name: &str, expected: i128| {
        let found = fed.number(3, name).unwrap();
        assert!((found - expected).abs() <= 5, "{name}: {found}, expected {expected}");
    };
    near("1-0:12.129.2", 169);
    near("1-0:12.129.0", 169);
}

/// Star point of a load with these admittances, of a source without a neutral: what stands between it and the phases.
fn lost_neutral(admittances: [f64; 3]) -> Wave {
    let source = [0.0f64, -120.0, 120.0].map(|degrees| (degrees.to_radians().cos(), degrees.to_radians().sin()));
    let sum: f64 = admittances.iter().sum();
    let star = source
        .iter()
        .zip(admittances)
        .fold((0.0, 0.0), |star, (phase, y)| (star.0 + y * phase.0 / sum, star.1 + y * phase.1 / sum));
    let voltage = source.map(|(re, im)| {
        let (re, im): (f64, f64) = (re - star.0, im - star.1);
        (re.hypot(im), im.atan2(re).to_degrees())
    });
    Wave { voltage, ..Wave::healthy() }
}

#[test]
fn broken_conductors_are_told_apart_from_what_looks_like_them() {
    let mut fed = Fed::new(THREE_PHASE, Role::Reader);
    let mut waves = Vec::new();
    for (admittances, u0) in [([2.0, 2.0, 1.0], 2000), ([2.0, 1.0, 1.0], 2500), ([1.0, 1.0, 0.0], 5000)] {
        waves.push((lost_neutral(admittances), Some((137, u0))));
    }
    let mut dyn_ = Wave::healthy();
    dyn_.voltage = [(1.0, 0.0), (0.5, 180.0), (0.5, 180.0)];
    waves.push((dyn_, Some((138, 10_000))));
    for healthy in
        [lost_neutral([1.0; 3]), Wave::of([0.9, 1.0, 1.0]), Wave::of([0.5, 1.0, 1.0]), Wave::of([0.0, 1.0, 1.0])]
    {
        waves.push((healthy, None));
    }
    let mut told = Vec::new();
    for (wave, expected) in waves {
        fed.play(&wave, 500 * CYCLE);
        fed.healthy(100 * CYCLE);
        told.extend(expected);
        let rows = fed.brief(GRID_LOG);
        assert_eq!(rows.len(), told.len(), "{expected:?}: {rows:?}");
        if let (Some((code, worst)), Some(row)) = (expected, rows.last()) {
            assert_eq!((row.0, row.1), (code, 7));
            // Two windows, one at each end, are of both; u2 of no positive sequence is uncertain.
            assert!(row.2.abs_diff(10_000) <= 400 && row.3.abs_diff(worst) <= 60, "{row:?}");
        }
    }
    assert_eq!(["137", "138"].map(|k| fed.number(1, &format!("0-0:96.15.{k}"))), [Some(3), Some(1)]);
    assert_eq!(fed.number(1, "0-0:96.11.5"), Some(138));
}

#[test]
fn ten_seconds_give_a_frequency_and_ten_minutes_their_means() {
    let mut fed = Fed::new(SINGLE_PHASE, Role::Reader);
    fed.play(&Wave { frequency: 50.6, ..Wave::healthy() }, 240_000);
    let found = fed.number(3, "1-0:14.130.0").unwrap();
    assert!((found - 506_000).abs() <= 2, "{found}");
    fed.healthy(160_000);
    let rows = fed.brief(QUALITY_LOG);
    assert_eq!(rows.len(), 1, "{rows:?}");
    // The clock began at a whole ten seconds: from 10 s to 30 s.
    assert_eq!((rows[0].0, rows[0].1, rows[0].2), (133, 0, 20_000));
    assert!(rows[0].3.abs_diff(50_600) <= 1);
    let wave = Wave { harmonics: vec![(5.0, 0.06, 0.0)], ..Wave::of([0.95; 3]) };
    // Up to the second whole ten minutes.
    let left = 2 * 600 * 8000 - (fed.line.meter.sample_index() % (600 * 8000));
    fed.play(&wave, left);
    fed.healthy(2000);
    let found = fed.number(3, "1-0:32.24.0").unwrap();
    assert!((found - 21_889).abs() <= 25, "{found} hundredths of 230 V · 0.95 · √(1 + 0.06²)");
    let found = fed.number(3, "1-0:32.24.5").unwrap();
    assert!((found - 13_110).abs() <= 115, "{found}");
    assert!((fed.number(3, "1-0:32.24.124").unwrap() - 600).abs() <= 5);
    // Window, 150 cycles, ten minutes, two hours, ten seconds: the two hours are not over.
    assert_eq!(fed.line.get(1, "0-0:96.10.128", 2).unwrap(), [4, 5, 0x10]);
    fed.play(&Wave::of([0.4; 3]), 10 * CYCLE);
    fed.healthy(1600);
    assert_eq!(fed.line.get(1, "0-0:96.10.128", 2).unwrap()[2] & 0x80, 0x80, "the window with the dip");
}

#[test]
fn limits_are_set_by_the_installer_within_reason() {
    let mut fed = Fed::new(THREE_PHASE, Role::Installer);
    assert_eq!(fed.line.get(3, "1-0:12.31.0", 2).unwrap(), [18, 0x23, 0x28]);
    assert_eq!(fed.line.get(3, "1-0:12.31.0", 3).unwrap(), [2, 2, 15, 0xFE, 22, 56]);
    let set = |fed: &mut Fed, name: &str, value: u16| fed.line.set(3, name, 2, &Data::LongUnsigned(value));
    assert_eq!(set(&mut fed, "1-0:12.31.0", 8500), DataAccessResult::SUCCESS);
    assert_eq!(set(&mut fed, "1-0:12.31.0", 9900), DataAccessResult::SCOPE_OF_ACCESS_VIOLATED);
    assert_eq!(set(&mut fed, "1-0:12.133.1", 500), DataAccessResult::SCOPE_OF_ACCESS_VIOLATED);
    assert_eq!(fed.line.set(3, "1-0:12.31.0", 2, &Data::Unsigned(85)), DataAccessResult::TYPE_UNMATCHED);
    fed.play(&Wave::of([0.87, 1.0, 1.0]), 50 * CYCLE);
    fed.healthy(20 * CYCLE);
    assert!(!fed.brief(QUALITY_LOG).iter().any(|row| row.0 == 128), "above the limit that was set");
    fed.play(&Wave::of([0.84, 1.0, 1.0]), 50 * CYCLE);
    fed.healthy(20 * CYCLE);
    assert!(fed.brief(QUALITY_LOG).iter().any(|row| row.0 == 128));
    // The change stands in the log of the meter, and in the next image.
    assert_eq!(fed.number(1, "0-0:96.11.0"), Some(47));
    let image = fed.line.meter.due_image().expect("what a client changed is kept at once");
    let mut again = Fed::new(THREE_PHASE, Role::Installer);
    again.line.meter.restore(&Image::from_bytes(&image.to_bytes()).unwrap(), Outage::Unknown);
    again.line = Line {
        client: Client::new(Credentials { counter: 1000, ..credentials(Role::Installer, false) }),
        ..again.line
    };
    again.line.associate().unwrap();
    assert_eq!(again.number(3, "1-0:12.31.0"), Some(8500));
    for role in [Role::Reader, Role::Management] {
        let mut other = Fed::new(THREE_PHASE, role);
        assert_eq!(set(&mut other, "1-0:12.31.0", 8500), DataAccessResult::READ_WRITE_DENIED, "{role:?}");
    }
}

#[test]
fn alarms_are_cleared_and_filtered() {
    let mut fed = Fed::new(THREE_PHASE, Role::Management);
    assert_eq!(fed.number(1, "0-0:97.98.10"), Some(0x7FF));
    let write = |fed: &mut Fed, name: &str, bits: u32| fed.line.set(1, name, 2, &Data::DoubleLongUnsigned(bits));
    fed.play(&Wave::of([0.4, 1.2, 1.0]), 10 * CYCLE);
    fed.healthy(4 * CYCLE);
    assert_eq!(fed.number(1, "0-0:97.98.0"), Some(0b11));
    assert_eq!(write(&mut fed, "0-0:97.98.0", !0b01), DataAccessResult::SUCCESS);
    assert_eq!(fed.number(1, "0-0:97.98.0"), Some(0b10), "nothing is set by writing");
    assert_eq!(write(&mut fed, "0-0:97.98.10", 0b100), DataAccessResult::SUCCESS);
    assert_eq!(write(&mut fed, "0-0:97.98.10", 1 << 11), DataAccessResult::SCOPE_OF_ACCESS_VIOLATED);
    fed.play(&Wave::of([0.4, 1.0, 1.0]), 10 * CYCLE);
    fed.healthy(4 * CYCLE);
    assert_eq!(fed.number(1, "0-0:97.98.0"), Some(0b10), "the filter holds a dip back");
    assert_eq!(fed.number(1, "0-0:96.15.128"), Some(2), "and its counter counts");
}

/// A register by its groups C, D and E.
fn register(c: u8, d: u8, e: u8) -> CaptureObject {
    CaptureObject { class: 3, name: Obis([1, 0, c, d, e, 255]), attribute: 2, data_index: 0 }
}

const CLOCK: CaptureObject = CaptureObject { class: 8, name: Obis::CLOCK, attribute: 2, data_index: 0 };
const CODE: CaptureObject = CaptureObject { class: 1, name: Obis([0, 0, 96, 11, 4, 255]), attribute: 2, data_index: 0 };

impl Fed {
    fn capture(&mut self, columns: &[CaptureObject]) -> DataAccessResult {
        let mut list = vec![0; 2 + 18 * columns.len()];
        let mut writer = Writer::new(&mut list);
        writer.array(columns.len());
        columns.iter().for_each(|column| column.encode(&mut writer));
        self.line.write(7, SNAPSHOT, 3, EncodedData::new(&list).unwrap())
    }

    /// Begin, code and values of the snapshots.
    fn snapshots(&mut self) -> Vec<(DateTime, u8, Vec<i128>)> {
        let buffer = self.line.get(7, SNAPSHOT, 2).unwrap();
        let mut reader = Reader::new(&buffer);
        let rows = (0..reader.array_of().unwrap()).map(|_| {
            let Data::Structure(fields) = reader.data().unwrap() else { panic!("a row is a structure") };
            let mut fields = fields.iter();
            let at = fields.next().unwrap().date_time().unwrap();
            let code = fields.next().unwrap().integer().unwrap() as u8;
            (at, code, fields.map(|field| field.integer().unwrap()).collect())
        });
        rows.collect()
    }
}

#[test]
fn a_snapshot_has_the_values_of_the_cycle_that_triggered_it() {
    let mut fed = Fed::new(THREE_PHASE, Role::Installer);
    let mut columns = vec![CLOCK, CODE];
    columns.extend([32, 52, 72, 31, 51].map(|c| register(c, 7, 0)));
    columns.extend([
        register(1, 8, 0),
        register(13, 7, 0),
        register(14, 7, 0),
        register(32, 7, 124),
        register(12, 31, 0),
    ]);
    assert_eq!(fed.capture(&columns), DataAccessResult::SUCCESS);
    // A dip that deepens: the snapshot is of its first cycle.
    let mut dip = Wave::of([0.8, 1.0, 1.0]);
    dip.current = 20.0;
    fed.play(&dip, CYCLE / 2);
    let mut deep = Wave::of([0.3, 1.0, 1.0]);
    deep.current = 50.0;
    fed.play(&deep, 20 * CYCLE);
    fed.healthy(20 * CYCLE);
    let snapshots = fed.snapshots();
    assert_eq!(snapshots.len(), 1, "{snapshots:?}");
    let (at, code, values) = &snapshots[0];
    assert_eq!((*at, *code), (fed.events(QUALITY_LOG)[0].begun, 128));
    let near = |place: usize, expected: f64, within: f64| {
        assert!((values[place] as f64 - expected).abs() <= within, "{place}: {values:?}, expected {expected}");
    };
    // Urms of the cycle that ended half a cycle after the dip began, 90.55 %, is not below 90 %; the next one, of 80 and 30 %, is.
    let first = 23_000.0 * ((0.8f64.powi(2) + 0.3f64.powi(2)) / 2.0).sqrt();
    near(0, first, 60.0);
    near(1, 23_000.0, 60.0);
    near(2, 23_000.0, 60.0);
    let current = 1000.0 * ((20.0f64.powi(2) + 50.0f64.powi(2)) / 2.0).sqrt();
    near(3, current, 100.0);
    // Everything else as it stood: two seconds of 6.9 kW, PF 1, 50 Hz, no distortion, the limit.
    near(5, 3.0, 1.0);
    near(6, 1000.0, 1.0);
    near(7, 50_000.0, 1.0);
    near(8, 0.0, 5.0);
    near(9, 9000.0, 0.0);
}

#[test]
fn a_snapshot_holds_24_registers_and_no_more() {
    let mut fed = Fed::new(THREE_PHASE, Role::Installer);
    let registers = |count: usize| {
        let all = (1..=10).flat_map(|c| [register(c, 8, 0), register(c, 7, 0), register(c, 2, 0)]);
        let there = all.filter(|object| {
            ![(5, 7), (6, 7), (7, 7), (8, 7), (10, 7)].contains(&(object.name.0[2], object.name.0[3]))
        });
        let there = there.filter(|object| object.name.0[3] != 2 || [1, 2, 3, 4, 9, 10].contains(&object.name.0[2]));
        let more = [32, 52, 72, 31, 51, 71].map(|c| register(c, 7, 0));
        [CLOCK, CODE].into_iter().chain(there).chain(more).take(2 + count).collect::<Vec<_>>()
    };
    assert_eq!((registers(24).len(), registers(25).len()), (26, 27));
    assert_eq!(fed.capture(&registers(25)), DataAccessResult::SCOPE_OF_ACCESS_VIOLATED);
    assert_eq!(fed.capture(&registers(24)), DataAccessResult::SUCCESS);
    let columns = fed.line.get(7, SNAPSHOT, 3).unwrap();
    assert_eq!((columns[1], columns.len()), (26, 2 + 26 * 18));
    fed.play(&Wave::of([0.3, 1.0, 1.0]), 20 * CYCLE);
    fed.healthy(20 * CYCLE);
    assert_eq!(fed.snapshots()[0].2.len(), 24);
    assert_eq!(fed.capture(&[CLOCK, CODE]), DataAccessResult::SUCCESS, "nothing but time and code");
    assert_eq!(fed.snapshots(), [], "another choice clears");
    let violated = DataAccessResult::SCOPE_OF_ACCESS_VIOLATED;
    for wrong in [
        &[CODE, CLOCK][..],
        &[CLOCK],
        &[],
        &[CLOCK, CODE, register(32, 7, 0), register(32, 7, 0)],
        &[CLOCK, CODE, register(33, 99, 0)],
        &[CLOCK, CODE, CaptureObject { attribute: 3, ..register(32, 7, 0) }],
        &[CLOCK, CODE, CaptureObject { class: 1, name: Obis([1, 0, 32, 128, 0, 255]), attribute: 2, data_index: 0 }],
    ] {
        assert_eq!(fed.capture(wrong), violated, "{wrong:?}");
    }
    // Many events push the oldest snapshot out.
    for _ in 0..15 {
        fed.play(&Wave::of([0.3, 1.0, 1.0]), 5 * CYCLE);
        fed.healthy(5 * CYCLE);
    }
    assert_eq!(fed.snapshots().len(), 12);
    assert_eq!(fed.line.get(7, SNAPSHOT, 8).unwrap(), [6, 0, 0, 0, 12]);
}

#[test]
fn the_newest_rows_push_the_oldest_out_and_counters_go_on() {
    let mut fed = Fed::new(SINGLE_PHASE, Role::Reader);
    for n in 0..70 {
        fed.play(&Wave::of([0.2 + f64::from(n) * 0.01, 0.0, 0.0]), 3 * CYCLE);
        fed.healthy(3 * CYCLE);
    }
    let rows = fed.brief(QUALITY_LOG);
    assert_eq!((rows.len(), fed.number(1, "0-0:96.15.128")), (64, Some(70)));
    assert!(rows[0].3.abs_diff(2600) <= 20 && rows[63].3.abs_diff(8900) <= 20, "{:?} {:?}", rows[0], rows[63]);
}

#[test]
fn an_interruption_in_which_the_supply_goes_is_written_when_it_is_back() {
    let mut fed = Fed::new(THREE_PHASE, Role::Reader);
    fed.play(&Wave::of([0.5, 1.0, 1.0]), 10 * CYCLE);
    fed.healthy(10 * CYCLE);
    let begins = fed.line.meter.sample_index();
    fed.play(&Wave::of([0.0; 3]), 4000);
    let before = fed.brief(QUALITY_LOG);
    assert_eq!(before.len(), 1, "it is not over");
    let image = Image::from_bytes(&fed.line.meter.persist().to_bytes()).unwrap();
    let memory = fed.line.meter.take_memory();
    for outage in [Outage::Bridged { ms: 3_600_000 }, Outage::Unknown] {
        let mut again =
            Line::new(THREE_PHASE, Role::Reader, Credentials { counter: 1000, ..credentials(Role::Reader, false) });
        let kept = Memory::Static(Box::leak(memory.octets().to_vec().into_boxed_slice()));
        again.meter = meter(THREE_PHASE).with_memory(kept).with_workspace(workspace());
        again.meter.restore(&image, outage);
        let mut again = Fed { line: again, angle: 0.7 };
        again.healthy(16_000);
        again.line.associate().unwrap();
        let rows = again.events(QUALITY_LOG);
        assert_eq!(rows.iter().map(|row| row.code).collect::<Vec<_>>(), [128, 130], "{outage:?}");
        let away = if outage == Outage::Unknown { 0 } else { 3_600_000 };
        // The first cycle without a voltage, and the first with one.
        assert!(rows[1].duration_ms.abs_diff(500 + away) <= 20, "{:?}", rows[1]);
        let expected = 13 * 360_000 + (begins / 80) as u32;
        assert!(hundredths(&rows[1].begun).abs_diff(expected) <= 2, "{:?}", rows[1].begun);
        assert_eq!((rows[1].phases, rows[1].extreme <= 5), (7, true));
        assert_eq!(["128", "130"].map(|k| again.number(1, &format!("0-0:96.15.{k}"))), [Some(1), Some(1)]);
        assert_eq!(again.number(1, "1-0:32.32.0"), Some(1));
        assert_eq!(again.number(1, "0-0:97.98.0"), Some(0b101));
    }
}

#[test]
fn every_type_shows_what_it_measures() {
    let names = |type_number: &str| {
        let mut fed = Fed::new(type_number, Role::Reader);
        let list = objects(&fed.line.get(15, "0-0:40.0.0", 2).unwrap());
        list.into_iter().map(|(_, name, ..)| name.to_string()).collect::<Vec<_>>()
    };
    let (three, one, omnipower) = (names(THREE_PHASE), names(SINGLE_PHASE), names(OMNIPOWER));
    let has = |names: &[String], name: &str| names.iter().any(|known| known == &format!("{name}*255") || known == name);
    #[rustfmt::skip]
    let table = [
        //                        three-phase  single-phase  OMNIPOWER
        ("0-0:99.98.4",           [true,  true,  true ]),
        ("0-0:99.98.5",           [true,  false, false]),
        ("0-0:96.11.5",           [true,  false, false]),
        ("1-0:99.128.0",          [true,  true,  false]),
        ("0-0:96.15.128",         [true,  true,  true ]),
        ("0-0:96.15.130",         [true,  true,  false]),
        ("0-0:96.15.133",         [true,  true,  false]),
        ("0-0:96.15.135",         [true,  false, false]),
        ("0-0:96.15.136",         [true,  true,  true ]),
        ("0-0:96.15.138",         [true,  false, false]),
        ("1-0:12.31.0",           [true,  true,  true ]),
        ("1-0:12.39.0",           [true,  true,  false]),
        ("1-0:12.138.0",          [true,  false, false]),
        ("1-0:32.32.0",           [true,  true,  true ]),
        ("1-0:52.32.0",           [true,  false, false]),
        ("1-0:32.7.5",            [true,  true,  false]),
        ("1-0:31.24.13",          [true,  true,  false]),
        ("1-0:31.128.0",          [true,  true,  false]),
        ("1-0:32.7.124",          [true,  true,  true ]),
        ("1-0:71.24.124",         [true,  false, false]),
        ("1-0:12.129.2",          [true,  false, false]),
        ("1-0:32.131.0",          [true,  true,  true ]),
        ("1-0:14.130.0",          [true,  true,  false]),
        ("0-0:96.10.128",         [true,  true,  true ]),
        ("0-0:97.98.0",           [true,  true,  true ]),
    ];
    for (name, expected) in table {
        assert_eq!([&three, &one, &omnipower].map(|names| has(names, name)), expected, "{name}");
    }
    assert_eq!([three.len(), one.len(), omnipower.len()], [253, 144, 105]);
}

/// The sums of a cycle of frames that begins at the detector's angle zero.
fn sums(frames: &[Frame]) -> CycleSums {
    let mut cycle = CycleSums { samples: frames.len() as u32, crossing: 65_536, ..CycleSums::default() };
    for (n, phase) in cycle.phases.iter_mut().enumerate() {
        for (place, frame) in frames.iter().enumerate() {
            let (u, i) = (i64::from(frame.voltage[n]), i64::from(frame.current[n]));
            let angle = std::f64::consts::TAU * place as f64 / frames.len() as f64;
            let (cos, sin) = ((angle.cos() * 4_194_304.0) as i64, (angle.sin() * 4_194_304.0) as i64);
            phase.ui += u * i;
            phase.uu += u * u;
            phase.ii += i * i;
            phase.u_cos += u * cos;
            phase.u_sin += u * sin;
            phase.i_cos += i * cos;
            phase.i_sin += i * sin;
        }
    }
    cycle
}

#[test]
fn a_day_in_samples_and_in_cycles_by_turns_tells_nothing_and_keeps_its_values() {
    let mut fed = Fed::new(THREE_PHASE, Role::Reader);
    let wave = Wave::of([0.97, 0.97, 0.97]);
    let frames: Vec<_> = (0..CYCLE).map(|n| wave.frame(std::f64::consts::TAU * n as f64 / CYCLE as f64)).collect();
    let cycle = sums(&frames);
    for _ in 0..24 {
        // Samples up to the start of a window, then most of an hour in cycles.
        (0..200).for_each(|_| fed.line.meter.process(&frames, |_| ()));
        let mut n = 0;
        while !fed.line.meter.state().at_window_start() {
            fed.line.meter.process(&frames[n % 160..][..1], |_| ());
            n += 1;
        }
        let (begun, last) = (n % 160, [frames[(n + 158) % 160], frames[(n + 159) % 160]]);
        (0..179_000).for_each(|_| fed.line.meter.process_cycle(&cycle, |_| ()));
        fed.line.meter.resume(&last[0], &last[1]);
        fed.line.meter.process(&frames[begun..], |_| ());
    }
    assert_eq!(fed.brief(QUALITY_LOG), []);
    assert_eq!(fed.brief(GRID_LOG), []);
    for name in ["1-0:32.130.0", "1-0:52.24.0", "1-0:72.131.0"] {
        let found = fed.number(3, name).unwrap();
        assert!((found - 22_310).abs() <= 5, "{name}: {found}");
    }
    assert!((fed.number(3, "1-0:14.130.0").unwrap() - 500_000).abs() <= 1);
    assert_eq!(fed.line.get(1, "0-0:96.10.128", 2).unwrap(), [4, 5, 0], "nothing is flagged");
}

/// Planted faults, each beside a meter without it.
#[cfg(feature = "defects")]
mod defects {
    use meterbench_meter::defects::{Defects, MOST_COUNTED};

    use super::*;

    fn fed(defects: Defects) -> Fed {
        let mut fed = Fed::new(THREE_PHASE, Role::Reader);
        fed.line.meter = std::mem::replace(&mut fed.line.meter, meter(THREE_PHASE)).with_defects(defects);
        fed
    }

    #[test]
    fn a_voltage_at_the_threshold_makes_many_dips() {
        let dips = |defects: Defects| {
            let mut fed = fed(defects);
            for _ in 0..5 {
                fed.play(&Wave::of([0.895, 1.0, 1.0]), 5 * CYCLE);
                fed.play(&Wave::of([0.91, 1.0, 1.0]), 5 * CYCLE);
            }
            fed.healthy(5 * CYCLE);
            fed.number(1, "0-0:96.15.128")
        };
        assert_eq!(dips(Defects::default()), Some(1));
        assert_eq!(dips(Defects { dip_hysteresis_missing: true, ..Defects::default() }), Some(5));
    }

    #[test]
    fn angles_do_not_unbalance() {
        let unbalance = |defects: Defects| {
            let mut fed = fed(defects);
            let mut wave = Wave::healthy();
            wave.voltage = [(1.0, 0.0), (1.0, -122.0), (1.0, 118.0)];
            fed.play(&wave, 40 * CYCLE);
            fed.number(3, "1-0:12.129.2").unwrap()
        };
        assert!((unbalance(Defects::default()) - 116).abs() <= 5);
        assert!(unbalance(Defects { unbalance_by_magnitude: true, ..Defects::default() }) <= 5);
    }

    #[test]
    fn a_snapshot_is_of_a_window_after_its_trigger() {
        let voltage = |defects: Defects| {
            let mut fed = fed(defects);
            fed.play(&Wave::of([0.4, 1.0, 1.0]), 3 * CYCLE);
            fed.healthy(47 * CYCLE);
            let snapshots = fed.snapshots();
            assert_eq!(snapshots.len(), 1);
            snapshots[0].2[0]
        };
        // Of a cycle that is half in the dip, and of a window that saw its end.
        let (sound, late) =
            (voltage(Defects::default()), voltage(Defects { snapshot_late: true, ..Defects::default() }));
        assert!((sound - 17_516).abs() <= 60, "{sound}");
        assert!((18_500..=23_000).contains(&late), "{late}");
    }

    #[test]
    fn a_counter_stops() {
        let counted = |defects: Defects| {
            let mut fed = fed(defects);
            for _ in 0..20 {
                fed.play(&Wave::of([0.4, 1.0, 1.0]), 5 * CYCLE);
                fed.healthy(5 * CYCLE);
            }
            (fed.number(1, "0-0:96.15.128"), fed.number(1, "1-0:32.32.0"), fed.events(QUALITY_LOG).len())
        };
        assert_eq!(counted(Defects::default()), (Some(20), Some(20), 20));
        let most = Some(i128::from(MOST_COUNTED));
        assert_eq!(counted(Defects { counter_saturates: true, ..Defects::default() }), (most, most, 20));
    }

    #[test]
    fn distortion_ends_at_the_fortieth_order() {
        let thd = |defects: Defects| {
            let mut fed = fed(defects);
            let orders = (41..=50).map(|order| (f64::from(order), 0.01, 0.0)).collect();
            fed.play(&Wave { harmonics: orders, ..Wave::healthy() }, 40 * CYCLE);
            fed.number(3, "1-0:32.7.124").unwrap()
        };
        assert!((thd(Defects::default()) - 316).abs() <= 5);
        assert!(thd(Defects { thd_to_40: true, ..Defects::default() }) <= 5);
    }

    #[test]
    fn a_window_that_is_short_takes_what_lies_between_harmonics_for_one() {
        let fifth = |defects: Defects| {
            let mut fed = fed(defects);
            // 255 Hz at 5 %: eleven cycles of mains later it is where it was.
            fed.play(&Wave { harmonics: vec![(5.1, 0.05, 0.0)], ..Wave::healthy() }, 80 * CYCLE);
            fed.number(3, "1-0:32.7.5").unwrap()
        };
        assert!(fifth(Defects::default()) < 230);
        assert!(fifth(Defects { short_window: true, ..Defects::default() }) > 1000);
    }
}
