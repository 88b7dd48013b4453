//! `waveforms/`: everything that was played beside a steady sine, as COMTRADE and as columns, for programs of others.
//!
//! Computed from the record alone, in closed form: it is what was commanded. Bounded: of an event the stretch around it, of a wave thirty cycles,
//! of a run so many megabytes; `index.csv` says what was cut.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp, Zoned};
use meterbench_record::{Record, slug};
use meterbench_waveform::{CHANNELS, Encoding, Head, Moment, Played, Stretch, Waves, comtrade};

use crate::arguments::Waveforms;

/// Name of the directory.
pub const DIRECTORY: &str = "waveforms";
/// Samples a second: 256 a cycle at 50 Hz, the 50th order with room.
pub const RATE: u32 = 12_800;
/// All files of a run are at most so large (bytes), unless everything is asked for.
const MOST: usize = 64 << 20;

/// A file of the directory.
pub struct File {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Writes the directory anew; nothing where nothing was played.
pub fn write(record: &Record, directory: &Path, choice: Waveforms) -> io::Result<()> {
    let (whole, partial) = (directory.join(DIRECTORY), directory.join(format!("{DIRECTORY}.partial")));
    for old in [&whole, &partial] {
        match fs::remove_dir_all(old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    if record.played.is_empty() || choice == Waveforms::None {
        return Ok(());
    }
    let written = fs::create_dir(&partial)
        .and_then(|()| write_into(&partial, record, choice))
        .and_then(|()| fs::rename(&partial, whole));
    if written.is_err() {
        // Half a directory is of no use, and takes room on a full disk. What went wrong first is told.
        let _ = fs::remove_dir_all(&partial);
    }
    written
}

fn write_into(directory: &Path, record: &Record, choice: Waveforms) -> io::Result<()> {
    let mut left = if choice == Waveforms::Whole { usize::MAX } else { MOST };
    let mut index = String::from(
        "name,step,position_in_step,words,from_bench_s,seconds,hertz,begin_s,end_s,samples_per_s,samples,remark\r\n",
    );
    for (n, played) in record.played.iter().enumerate() {
        let name = name(record, n);
        let known = record.played[..n].iter().position(|other| alike(other, played));
        let mut remark = played.cut_words().filter(|_| choice != Waveforms::Whole).unwrap_or_default();
        let stretches = played.stretches(choice == Waveforms::Whole);
        let size: usize = stretches.iter().map(expected_size).sum();
        let stretches = match known {
            Some(first) => {
                remark = format!("the same as {}", self::name(record, first));
                Vec::new()
            }
            None if size > left => {
                remark = format!("{} MB were too much: `meterbench report --waveforms whole` writes it", size >> 20);
                Vec::new()
            }
            None => stretches,
        };
        let mut line = |name: &str, stretch: Option<&Stretch>| {
            let range = stretch.map_or(String::from(",,,"), |stretch| {
                format!("{:.6},{:.6},{RATE},{}", stretch.from_s, stretch.to_s, stretch.samples(RATE).1)
            });
            let (words, remark) = (quoted(&played.words), quoted(&remark));
            let from = played.from_ns as f64 / 1e9;
            let seconds = played.event.map_or(played.seconds(), |event| event.seconds);
            let (step, place, hertz) = (played.step, place(record, n), played.sines.hertz);
            let _ = write!(index, "{name},{step},{place},{words},{from},{seconds},{hertz},{range},{remark}\r\n");
        };
        if stretches.is_empty() {
            line(&name, None);
        }
        let waves = played.waves();
        for stretch in &stretches {
            let name = stretch.part.map_or(name.clone(), |part| format!("{name}-{part}"));
            line(&name, Some(stretch));
            for file in files(record, played, &waves, stretch, &name) {
                left = left.saturating_sub(file.bytes.len());
                fs::write(directory.join(file.name), file.bytes)?;
            }
        }
    }
    fs::write(directory.join("index.csv"), index)
}

/// The files of one stretch: COMTRADE, its samples as columns, and the RMS values of every half cycle.
pub fn files(record: &Record, played: &Played, waves: &Waves, stretch: &Stretch, name: &str) -> [File; 4] {
    let event_s = played.event.map(|event| event.seconds);
    let head = head(record, played, stretch);
    let written = comtrade(waves, event_s, stretch, &head, Encoding::Binary32);
    [
        File { name: format!("{name}.cfg"), bytes: written.cfg.into_bytes() },
        File { name: format!("{name}.dat"), bytes: written.dat },
        File { name: format!("{name}.csv"), bytes: columns(waves, stretch).into_bytes() },
        File { name: format!("{name}-rms.csv"), bytes: rms(waves, stretch).into_bytes() },
    ]
}

/// `02-1-dip-to-40-l1`: step, place in the step, words.
pub fn name(record: &Record, n: usize) -> String {
    let played = &record.played[n];
    let words: String = slug(&played.words).replace('.', "-").chars().take(48).collect();
    format!("{:02}-{}-{}", played.step, place(record, n), words.trim_end_matches('-'))
}

/// Place among what was played in its step, from 1.
fn place(record: &Record, n: usize) -> usize {
    let step = record.played[n].step;
    record.played[..=n].iter().filter(|other| other.step == step).count()
}

/// Played again, at another time.
pub fn alike(one: &Played, other: &Played) -> bool {
    let length = |played: &Played| played.event.map_or(played.to_ns - played.from_ns, |_| 0);
    (one.sines, &one.waveform, one.event) == (other.sines, &other.waveform, other.event) && length(one) == length(other)
}

/// About: a line of samples is 14 octets a number, a record of the binary file 34.
fn expected_size(stretch: &Stretch) -> usize {
    stretch.samples(RATE).1 * (7 * 12 + 34)
}

/// Seconds, then every channel that is put out (V, A).
fn columns(waves: &Waves, stretch: &Stretch) -> String {
    let sounding: Vec<usize> =
        waves.channels().enumerate().filter(|(_, wave)| !wave.is_silent()).map(|(n, _)| n).collect();
    let mut out = String::from("seconds");
    for &channel in &sounding {
        let unit = if channel < 3 { "v" } else { "a" };
        let _ = write!(out, ",{}_{unit}", CHANNELS[channel].to_lowercase());
    }
    out.push_str("\r\n");
    let (first, _) = stretch.samples(RATE);
    for (n, frame) in waves.stretch(stretch, RATE).enumerate() {
        let _ = write!(out, "{:.7}", (first + n as i64) as f64 / f64::from(RATE));
        for &channel in &sounding {
            let _ =
                if channel < 3 { write!(out, ",{:.4}", frame[channel]) } else { write!(out, ",{:.6}", frame[channel]) };
        }
        out.push_str("\r\n");
    }
    out
}

/// Urms(1/2) by the reference method: a row for every cycle that ends in the stretch.
fn rms(waves: &Waves, stretch: &Stretch) -> String {
    let mut out = String::from("phase,begin_s,end_s,rms_v\r\n");
    for (n, wave) in waves.voltage.iter().enumerate().filter(|(_, wave)| !wave.is_silent()) {
        for half in wave.half_cycles(stretch.from_s, stretch.to_s) {
            let _ = write!(out, "L{},{:.7},{:.7},{:.4}\r\n", n + 1, half.begin_s, half.end_s, half.rms);
        }
    }
    out
}

fn head(record: &Record, played: &Played, stretch: &Stretch) -> Head {
    // A run in memory has no date.
    let started = record.run.started.parse::<Timestamp>().unwrap_or_default();
    let offset = Pieces::parse(&record.run.started).ok().and_then(|pieces| pieces.to_numeric_offset());
    let offset = offset.unwrap_or(Offset::UTC);
    let at = |seconds: f64| {
        let ns = played.from_ns as f64 + seconds * 1e9;
        let moment = started.saturating_add(SignedDuration::from_nanos(ns as i64)).unwrap_or(started);
        moment_of(&moment.to_zoned(offset.to_time_zone()))
    };
    let (first, _) = stretch.samples(RATE);
    Head {
        station: record.subject.bench.clone(),
        device: format!("meterbench {} as commanded", record.subject.version),
        first: at(first as f64 / f64::from(RATE)),
        trigger: at(0.0),
        offset_minutes: offset.seconds() / 60,
        rate: RATE,
    }
}

fn moment_of(at: &Zoned) -> Moment {
    Moment {
        year: at.year(),
        month: at.month().unsigned_abs(),
        day: at.day().unsigned_abs(),
        hour: at.hour().unsigned_abs(),
        minute: at.minute().unsigned_abs(),
        second: at.second().unsigned_abs(),
        microsecond: (at.subsec_nanosecond() / 1000).unsigned_abs(),
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
