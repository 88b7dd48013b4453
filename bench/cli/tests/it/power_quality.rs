//! What was played, in reports and files: a journal made of the real types, as a run would write it.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use meterbench::arguments::Waveforms;
use meterbench::report::{self, html, waveforms};
use meterbench_record::{
    Certainty, Class, Direction, EnergyKind, Event, JournalLine, Limit, LoadPoint, Measurement, Nameplate, Outcome,
    Phases, PositionInfo, PowerFactor, Record, RunInfo, RunStart, SCHEMA_JOURNAL, StepInfo, StepReport, Subject, Value,
    Verdict,
};
use meterbench_waveform::{
    Distortion, Harmonic, Modulation, ModulationShape, Played, Sine, Sines, VoltageEvent, Waveform, lost_neutral,
};
use serde_json::json;

const MS: u64 = 1_000_000;
const S: u64 = 1000 * MS;

fn nameplate() -> Nameplate {
    Nameplate {
        name: "omnia-3ph".into(),
        title: "OMNIA, three-phase".into(),
        type_number: "685".into(),
        class: Class::B,
        reactive_class: None,
        export: true,
        systems: 3,
        un_volt: 230.0,
        fn_hertz: 50.0,
        imin_ampere: 0.25,
        iref_ampere: 5.0,
        imax_ampere: 100.0,
        constant_per_kwh: 1000,
        pulse_width_ms: 30.0,
        has: Vec::new(),
    }
}

fn subject() -> Subject {
    let position = |id, serial: &str| PositionInfo {
        id,
        serial: serial.into(),
        meter: nameplate(),
        skip: false,
        faults: Vec::new(),
    };
    let step = |step, name: &str| StepInfo { step, kind: "play".into(), name: name.into(), points: 1 };
    Subject {
        version: "0.1.0".into(),
        plan: "Power quality".into(),
        plan_file: "plan.yaml".into(),
        plan_sha256: "00".into(),
        bench_sha256: None,
        standard: None,
        decision_rule: "simple-acceptance".into(),
        bench: "Bench, two positions".into(),
        bench_kind: "emulated".into(),
        seed: Some(7),
        instruments: Vec::new(),
        positions: vec![position(1, "1001"), position(2, "1002")],
        steps: vec![step(1, "Dip"), step(2, "Long dip"), step(3, "Harmonics"), step(4, "Neutral"), step(5, "Rest")],
    }
}

fn balanced() -> [Sine; 3] {
    [0.0, 120.0, 240.0].map(|lag_deg| Sine { rms: 230.0, lag_deg })
}

fn event(phases: [bool; 3], share: f64, seconds: f64, phase_jump_deg: f64) -> VoltageEvent {
    VoltageEvent { phases, share, seconds, point_on_wave_deg: 45.0, phase_jump_deg }
}

fn played(step: u32, words: &str, from_ns: u64, seconds: f64) -> Played {
    let current = [30.0, 150.0, 270.0].map(|lag_deg| Sine { rms: 5.0, lag_deg });
    let sines = Sines { hertz: 50.0, voltage: balanced(), current };
    let to_ns = from_ns + (seconds * 1e9) as u64;
    Played { step, words: words.into(), from_ns, to_ns, sines, waveform: Waveform::default(), event: None }
}

fn with_event(step: u32, words: &str, from_ns: u64, event: VoltageEvent) -> Played {
    Played { event: Some(event), ..played(step, words, from_ns, event.seconds) }
}

fn measured(step: u32, position: u32, subject: &str, quantity: &str, unit: &str) -> Measurement {
    let at = LoadPoint {
        voltage: "1 Un".into(),
        current: "5 A".into(),
        volt: 230.0,
        ampere: 5.0,
        power_factor: PowerFactor::UNITY,
        frequency_hz: 50.0,
        phases: Phases::L123,
        direction: Direction::Import,
        energy: EnergyKind::Active,
        temperature_c: 23.0,
        frequency: None,
        temperature: None,
        reversed_sequence: false,
        interrupted: None,
        wave: None,
        switched: None,
    };
    Measurement {
        id: format!("{step}/{position}/{subject}/{quantity}"),
        step,
        position,
        attempt: 1,
        quantity: quantity.into(),
        subject: Some(subject.into()),
        at,
        value: Value::Integer(1),
        unit: unit.into(),
        raw: serde_json::Map::new(),
        readings: Vec::new(),
        uncertainty: None,
        limit: None,
        verdict: Some(Verdict::Pass),
        decides: true,
        note: None,
        bench_ns: 0,
    }
}

/// Rows of a log: bench time of the begin, code, phases, duration (ms), extreme (0.01 %).
fn rows(step: u32, position: u32, rows: &[(u64, u8, &str, u32, i32)]) -> Measurement {
    let row = |&(begin_ns, code, phases, duration_ms, extreme): &(u64, u8, &str, u32, i32)| {
        let begin = "2026-11-21 12:00:05.01";
        json!({ "begin": begin, "begin_ns": begin_ns, "code": code, "phases": phases, "duration_ms": duration_ms, "extreme": extreme })
    };
    let mut m = measured(step, position, "voltage-dip", "event-count", "1");
    m.raw.insert("events".into(), rows.iter().map(row).collect());
    m
}

fn harmonics(position: u32, phase: usize, readings: Vec<f64>) -> Measurement {
    let subject = format!("voltage-harmonic-l{phase}, order 2 to 8");
    let mut m = measured(3, position, &subject, "harmonic", "%");
    (m.value, m.readings) = (Value::Number(6.2), readings);
    let (source, row) = ("plan".into(), String::new());
    m.limit = Some(Limit { low: None, high: Some(6.1), source, row, certainty: Certainty::Verified, binding: None });
    m.verdict = Some(Verdict::Fail);
    m
}

/// A current with edges, on and off, of which the second stands at another load.
fn bursts(from_ns: u64) -> Played {
    let mut bursts = played(5, "burst-fired current", from_ns, 5.0);
    for (wave, sine) in bursts.waveform.current.iter_mut().zip(&mut bursts.sines.current) {
        sine.rms = 1.0 + from_ns as f64 / S as f64;
        let harmonics = (2..=100).map(|order| Harmonic { order, percent: 1.0, angle_deg: 0.0 }).collect();
        let modulation = Some(Modulation { shape: ModulationShape::Rectangle, hertz: 12.5, percent: 200.0 });
        *wave = Distortion { harmonics, interharmonic: None, modulation };
    }
    bursts
}

/// Sines that stand for a minute.
fn stage(from_ns: u64, share: f64, hertz: f64) -> Played {
    let mut stage = played(5, &format!("{share} Un at {hertz} Hz"), from_ns, 60.0);
    stage.sines.voltage.iter_mut().for_each(|sine| sine.rms *= share);
    stage.sines.hertz = hertz;
    stage
}

/// Two equal dips, a long three-phase one below 5 %, a swell, harmonics with flicker, a lost neutral.
fn lines() -> Vec<JournalLine> {
    let run = RunInfo {
        id: "r".into(),
        started: "2026-11-21T12:00:00+01:00".into(),
        host: "h".into(),
        operator: None,
        wall_seconds: 0.0,
        out: String::new(),
        image: None,
    };
    let start = RunStart { schema: SCHEMA_JOURNAL.into(), run, subject: subject(), expected_bench_ns: 1 };
    let l1 = [true, false, false];
    let dip = event(l1, 0.4, 0.2, 30.0);
    let mut harmonic = played(3, "harmonics of the voltage", 200 * S, 60.0);
    for (n, wave) in harmonic.waveform.voltage.iter_mut().enumerate() {
        let order = |order, percent| Harmonic { order, percent, angle_deg: 0.0 };
        let modulation = Some(Modulation { shape: ModulationShape::Rectangle, hertz: 110.0 / 120.0, percent: 0.722 });
        let fifth = if n == 2 { 5.0 } else { 6.0 };
        let harmonics = vec![order(3, 2.0), order(5, fifth), order(7, 3.0)];
        *wave = Distortion { harmonics, interharmonic: None, modulation };
    }
    let mut neutral = played(4, "a lost neutral, loads 2 to 1 to 1", 300 * S, 60.0);
    neutral.sines.voltage = lost_neutral(230.0, [2.0, 1.0, 1.0], 0.0).unwrap();
    let played = |played: Played| Event::Played(Box::new(played));
    let measured = |measurement: Measurement| Event::Measured { measurement: Box::new(measurement) };
    let events = vec![
        Event::RunStarted(Box::new(start)),
        played(with_event(1, "dip to 0.4 Un on L1", 5 * S, dip)),
        played(with_event(1, "dip to 0.4 Un on L1", 10 * S, dip)),
        measured(rows(1, 1, &[(5 * S + 12 * MS, 128, "L1", 210, 4003), (10 * S + 12 * MS, 128, "L1", 210, 4003)])),
        measured(rows(1, 2, &[(5 * S + 12 * MS, 128, "L1", 190, 7603)])),
        Event::StepEnded(StepReport { step: 1 }),
        played(with_event(2, "dip to 0.02 Un on L123, for 5 s", 100 * S, event([true; 3], 0.02, 5.0, 0.0))),
        played(with_event(2, "swell to 1.2 Un on L2", 120 * S, event([false, true, false], 1.2, 0.05, 0.0))),
        measured(rows(
            2,
            1,
            &[
                (100 * S, 128, "L123", 5000, 200),
                (100 * S, 130, "L123", 4990, 200),
                (120 * S, 129, "L2", 50, 12_001),
                (20 * S, 135, "L123", 600_000, 210),
            ],
        )),
        measured(rows(2, 2, &[])),
        played(harmonic),
        measured(harmonics(1, 1, vec![0.01, 2.0, 0.01, 6.2, 0.0, 3.0, 0.02])),
        measured(harmonics(1, 2, vec![0.0, 2.01, 0.0, 6.05, 0.0, 2.98, 0.0])),
        played(neutral),
        played(stage(370 * S, 0.85, 50.0)),
        played(stage(430 * S, 1.0, 50.5)),
        measured(rows(5, 1, &[(370 * S, 128, "L123", 60_020, 8500), (430 * S, 134, "L123", 60_000, 1500)])),
        measured(rows(5, 2, &[])),
        played(bursts(500 * S)),
        played(bursts(510 * S)),
        Event::RunEnded { outcome: Outcome::Fail, outputs: "off".into(), wall_seconds: 1.0, engine: None },
    ];
    let line = |(n, event)| JournalLine { seq: n as u64 + 1, bench_ns: n as u64 * S, event };
    events.into_iter().enumerate().map(line).collect()
}

fn text(lines: &[JournalLine]) -> String {
    lines.iter().map(|line| serde_json::to_string(line).unwrap() + "\n").collect()
}

fn journal() -> String {
    text(&lines())
}

fn record() -> Record {
    Record::fold(Cursor::new(journal())).unwrap()
}

fn page() -> String {
    let page = html::render(&record()).unwrap();
    // To look at: METERBENCH_PAGE=/tmp/page.html cargo test -p meterbench --test it power_quality
    if let Ok(path) = std::env::var("METERBENCH_PAGE") {
        fs::write(path, &page).unwrap();
    }
    page
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let rest = text.split_once(from).unwrap_or_else(|| panic!("no {from}")).1;
    rest.split_once(to).map_or(rest, |(part, _)| part)
}

#[test]
fn what_was_played_stands_in_pictures_with_what_the_meters_logged() {
    let page = page();
    let figure = |words: &str| between(&page, &format!("<figcaption>Step {words}"), "</figure>");
    let dip = figure("1: Dip");
    assert_eq!(page.matches("<figcaption>Step 1").count(), 1, "two equal dips share a picture");
    for words in [
        "played 2 times",
        "jump by +30°",
        ">commanded<",
        "40.0 %, 200 ms, L1",
        ">by the method<",
        ">meter 1001<",
        "dip: 40.03 %, 210 ms",
        ">meter 1002<",
        "dip: 76.03 %, 190 ms",
        "dip begins below 90 %",
        "waveforms/01-1-dip-to-0-4-un-on-l1",
    ] {
        assert!(dip.contains(words), "{words}");
    }
    assert_eq!(dip.matches("class=\"lane meter\"").count(), 2, "the second row is of the second dip");
    assert_eq!(dip.matches("class=\"phase\"").count(), 6, "three waves, three series of RMS values");
    let swell = figure("2: Long dip</figcaption>\n<p class=\"small\">swell");
    assert!(swell.contains("nothing logged"), "the second meter has not seen it");
    let harmonics = figure("3: Harmonics");
    for words in ["moves by 0.722 %", "Pst ", "commanded", "read on L1", "read on L2"] {
        assert!(harmonics.contains(words), "{words}");
    }
    let pst: f64 = between(harmonics, "Pst ", " ").parse().unwrap();
    // 0.722 % at 110 a minute is Pst 1; a minute is not ten.
    assert!((pst - 1.0).abs() < 0.05, "{pst}");
    assert_eq!(harmonics.matches("class=\"failed\"").count(), 1, "6.2 % is above 6.1 %, 6.05 % is not");
    let course = figure("5: Rest</figcaption>\n<p class=\"small\">0.85 Un at 50 Hz, then 1 Un");
    for words in [
        "dip: 85.00 %, 60.02 s",
        "rapid change: 15.00 %, 60.00 s",
        "nothing logged",
        "f commanded [Hz]",
        "2 min 0 s altogether",
    ] {
        assert!(course.contains(words), "{words}");
    }
    assert_eq!(course.matches("class=\"phase\"").count(), 3 + 1, "three voltages and the frequency");
    let bursts = figure("5: Rest</figcaption>\n<p class=\"small\">burst");
    assert_eq!(page.matches("<figcaption>Step 5").count(), 2, "one form of wave, one picture");
    for words in ["played 2 times", "orders up to 100 are played, up to 50 drawn", "moves by 200 % with 12.5000 Hz"] {
        assert!(bursts.contains(words), "{words}");
    }
    assert_eq!(bursts.matches("class=\"bar\"").count(), 49 + 1, "orders 2 to 50, and the legend");
    let neutral = figure("4: Neutral");
    for words in ["L1  172.50 V", "u2 = U2/U1 = 0.000 %", "u0 = U0/U1 = 25.000 %"] {
        assert!(neutral.contains(words), "{words}");
    }
}

/// Retested meters are looked at in their attempt, and nobody's meter is where a run broke off.
#[test]
fn who_was_not_looked_at_is_not_said_to_have_logged_nothing() {
    let mut lines = lines();
    lines.truncate(3);
    let fold = |lines: &[JournalLine]| html::render(&Record::fold(Cursor::new(text(lines))).unwrap()).unwrap();
    let broken_off = fold(&lines);
    assert!(broken_off.contains("no meter was looked at"));
    assert!(!broken_off.contains("nothing logged") && !broken_off.contains("missing: dip"));
    let line = |event| JournalLine { seq: 0, bench_ns: S, event };
    let dip = || with_event(1, "dip to 0.4 Un on L1", 5 * S, event([true, false, false], 0.4, 0.2, 30.0));
    let row = (5 * S + 12 * MS, 128, "L1", 210, 4003);
    let again = |attempt| Measurement { attempt, ..rows(1, 2, &[row]) };
    lines.truncate(1);
    lines.extend([
        line(Event::Played(Box::new(dip()))),
        line(Event::Measured { measurement: Box::new(rows(1, 1, &[row])) }),
        line(Event::Measured { measurement: Box::new(again(1)) }),
        line(Event::RunResumed { step: 1, positions: vec![2], attempt: 2, at: "2026-11-21T13:00:00+01:00".into() }),
        line(Event::Played(Box::new(dip()))),
        line(Event::Measured { measurement: Box::new(again(2)) }),
    ]);
    (1..).zip(&mut lines).for_each(|(seq, line)| line.seq = seq);
    let retested = fold(&lines);
    assert!(retested.contains("attempt 2") && !retested.contains("played 2 times"));
    assert!(!retested.contains("nothing logged") && !retested.contains("missing: dip"), "each is asked once");
}

/// A dip that stays above the threshold: the method sees nothing, and both picture and table say so.
#[test]
fn what_the_method_does_not_see_is_said_in_words() {
    let mut lines = lines();
    lines.truncate(1);
    let dip = with_event(1, "dip to 0.95 Un on L1", 5 * S, event([true, false, false], 0.95, 0.2, 0.0));
    lines.push(JournalLine { seq: 2, bench_ns: S, event: Event::Played(Box::new(dip)) });
    for measurement in [rows(1, 1, &[]), rows(1, 2, &[(5 * S, 134, "L1", 190, 500)])] {
        let (seq, measurement) = (lines.len() as u64 + 1, Box::new(measurement));
        lines.push(JournalLine { seq, bench_ns: S, event: Event::Measured { measurement } });
    }
    let page = html::render(&Record::fold(Cursor::new(text(&lines))).unwrap()).unwrap();
    let figure = between(&page, "<figcaption>Step 1", "</figure>");
    let method = between(figure, ">by the method</text>", ">meter 1001<");
    assert!(method.contains(">no event</text>") && !method.contains("<rect"), "{method}");
    assert!(figure.contains("rapid change: 5.00 %, 190 ms"), "what else a meter logs has its bar");
    let table = between(&page, "<table class=\"events\">", "</table>");
    assert!(table.contains("<td class=\"keep\">by the method</td><td>no event</td>"), "{table}");
    assert!(table.contains("<td class=\"keep\">meter 1001</td><td>nothing logged</td>"), "{table}");
}

/// Words of all pictures, by a generous width of their letters.
#[test]
fn no_words_reach_over_the_edge_of_a_picture() {
    const LETTER: f64 = 6.6; // of 12 px, in a wide sans-serif face on average
    let page = page();
    let mut seen = 0;
    for svg in page.split("<svg ").skip(1) {
        let ends: Vec<f64> = between(svg, "viewBox=\"", "\"").split(' ').map(|end| end.parse().unwrap()).collect();
        for element in svg.split("<text x=\"").skip(1) {
            let (x, y) = (between(element, "", "\""), between(element, "y=\"", "\""));
            let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
            let (class, words) = (between(element, "class=\"", "\""), between(element, ">", "</text>"));
            let size = if class.starts_with("note") { 11.0 / 12.0 } else { 1.0 };
            let width = LETTER * size * words.chars().count() as f64;
            let left = match class.split_once(' ') {
                Some((_, "end")) => x - width,
                Some((_, "middle")) => x - width / 2.0,
                _ => x,
            };
            assert!(left >= 0.0 && left + width <= ends[2], "{words}: {left} and {width} of {}", ends[2]);
            assert!(y >= 9.0 && y <= ends[3] - 3.0, "{words}: {y} of {}", ends[3]);
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn events_stand_in_the_tables_of_en_50160_as_commanded_and_as_logged() {
    let page = page();
    let list = between(&page, "<table class=\"events\">", "</table>");
    let rows: Vec<&str> = list.split("<tr").skip(2).collect();
    let cells = |row: &str| -> Vec<String> {
        let cells = row.split("<td").skip(1).map(|cell| between(cell, ">", "</td>").to_owned());
        cells.collect()
    };
    let first = cells(rows[0]);
    assert_eq!(first[0], "1");
    assert_eq!(first[2], "40.0 % for 200 ms on L1 at 45°, jump +30°");
    assert_eq!(first[3..6], ["by the method", "dip", "L1"]);
    assert_eq!(first[8], "C2", "210 ms by the method is above 200 ms");
    assert_eq!(cells(rows[1])[..6], ["meter 1001", "dip", "L1", "40.03 %", "210 ms", "C2"]);
    assert!(
        cells(rows[2])[..5] == ["meter 1002", "dip", "L1", "76.03 %", "190 ms"] && cells(rows[2])[5].starts_with("B1")
    );
    assert!(rows[2].contains("class=\"differs\"") && !rows[1].contains("class=\"differs\""));
    assert!(list.contains("missing: interruption") && list.contains("missing: swell"), "the second meter has neither");
    let dips = between(&page, "Dips by residual voltage", "</table>");
    assert!(between(dips, "<span class=\"small\">C2</span>", "</td>").contains("<strong>2</strong>"));
    assert!(between(dips, "<span class=\"small\">C2</span>", "</td>").contains("meter 1002: 0"));
    assert!(page.contains("by the method: 1 short, 0 long") && page.contains("meter 1002: 0 short, 0 long"));
    let scatter = between(&page, "<figcaption>Voltage events over their duration", "</figure>");
    // Two dips, an interruption, a swell; a sign of each stands in the legend.
    assert_eq!(scatter.matches("class=\"expected\"").count(), 4 + 1);
    assert_eq!(scatter.matches("class=\"logged\"").count(), 6 + 1);
    let strays = between(&page, "belong to nothing that was played", "</ul>");
    assert!(strays.contains("step 2, meter 1001: unbalance") && strays.contains("2.10 %"), "{strays}");
}

#[test]
fn a_page_without_stimuli_says_nothing_of_power_quality() {
    let mut record = record();
    record.played.clear();
    assert!(!html::render(&record).unwrap().contains("Power quality: what was played"));
}

fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory.join(waveforms::DIRECTORY)).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_report_leaves_the_waveforms_beside_it() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("events.jsonl"), journal()).unwrap();
    report::write(directory.path(), Waveforms::Bounded).unwrap();
    let names = files(directory.path());
    let dip = "01-1-dip-to-0-4-un-on-l1";
    for name in [".cfg", ".dat", ".csv", "-rms.csv"] {
        assert!(names.contains(&format!("{dip}{name}")), "{names:?}");
    }
    assert!(!names.iter().any(|name| name.starts_with("01-2")), "played again: {names:?}");
    assert!(names.contains(&"02-1-dip-to-0-02-un-on-l123-for-5-s-end.dat".to_owned()), "{names:?}");
    let read = |name: &str| fs::read_to_string(directory.path().join(waveforms::DIRECTORY).join(name)).unwrap();
    let index = read("index.csv");
    for words in ["the same as 01-1", "3.000 s between", "the first 2.182 s of 60.0 s"] {
        assert!(index.contains(words), "{words}: {index}");
    }
    let cfg = read(&format!("{dip}.cfg"));
    assert!(cfg.contains("Bench two positions,meterbench 0.1.0 as commanded,2013"), "{cfg}");
    assert!(cfg.contains("\r\n21/11/2026,12:00:04.800000\r\n21/11/2026,12:00:05.000000\r\n"), "{cfg}");
    assert!(cfg.contains("\r\n+1,+1\r\n"));
    let csv = read(&format!("{dip}.csv"));
    assert_eq!(csv.lines().next(), Some("seconds,ul1_v,ul2_v,ul3_v,il1_a,il2_a,il3_a"));
    assert_eq!(csv.lines().count(), 1 + 12_800 * 6 / 10 + 1, "ten cycles, 200 ms, ten cycles");
    let rms = read(&format!("{dip}-rms.csv"));
    assert!(rms.contains(",92.0000\r\n"), "40 % of 230 V");
    // Nothing is left of it when it is not wanted.
    report::write(directory.path(), Waveforms::None).unwrap();
    assert!(!directory.path().join(waveforms::DIRECTORY).exists());
}

#[test]
fn everything_is_written_on_request() {
    let directory = tempfile::tempdir().unwrap();
    let mut record = record();
    record.played.retain(|played| played.step == 2);
    waveforms::write(&record, directory.path(), Waveforms::Whole).unwrap();
    let names = files(directory.path());
    assert_eq!(names.len(), 2 * 4 + 1, "{names:?}");
    let dat = fs::metadata(directory.path().join("waveforms/02-1-dip-to-0-02-un-on-l123-for-5-s.dat")).unwrap();
    assert_eq!(dat.len(), (12_800 * 54 / 10 + 1) * 34, "5.4 s of six channels");
}
