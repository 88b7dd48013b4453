//! COMTRADE, IEEE C37.111-2013 (IEC 60255-24:2013): a configuration and the data of one stretch, all channels at one rate.
//!
//! What readers trip over, and what is done about it: text has no commas, is ASCII and at most 64 characters; lines end in CR LF; time
//! stamps are 32 bits, so that their multiplier grows with the length; a value is its integer times exactly the factor that is printed; the
//! lowest integer means a missing value and is never written.

use std::fmt::{self, Write as _};

use crate::capture::Stretch;
use crate::waves::{CHANNELS, Waves};

/// How the data stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Numbers as text.
    Ascii,
    /// Integers of 32 bits.
    Binary32,
    /// Numbers of IEEE 754, 32 bits.
    Float32,
}

impl Encoding {
    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ascii => "ASCII",
            Self::Binary32 => "BINARY32",
            Self::Float32 => "FLOAT32",
        }
    }
}

/// A moment of local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Year.
    pub year: i16,
    /// Month, from 1.
    pub month: u8,
    /// Day, from 1.
    pub day: u8,
    /// Hour.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
    /// Second.
    pub second: u8,
    /// Millionths of a second.
    pub microsecond: u32,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, microsecond } = self;
        write!(f, "{day:02}/{month:02}/{year:04},{hour:02}:{minute:02}:{second:02}.{microsecond:06}")
    }
}

/// What stands at the head of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// Where it was recorded.
    pub station: String,
    /// What recorded it.
    pub device: String,
    /// Moment of the first sample.
    pub first: Moment,
    /// Moment of 0 s: the event, or the begin of the playing.
    pub trigger: Moment,
    /// By how much local time is ahead of UTC (minutes).
    pub offset_minutes: i32,
    /// Samples a second.
    pub rate: u32,
}

/// The two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comtrade {
    /// `.cfg`
    pub cfg: String,
    /// `.dat`
    pub dat: Vec<u8>,
}

/// The highest time stamp; the one above it says that there is none.
const LAST_STAMP: f64 = 4_294_967_294.0;
/// The largest integer of a value.
const LARGEST: f64 = 2_147_483_647.0;

/// One analogue channel of the file.
struct Analogue {
    /// Place among the samples.
    channel: usize,
    /// Value of one integer step, as printed.
    factor_text: String,
    factor: f64,
}

/// Writes a stretch: voltages and currents that are put out, and one status, which says that the event is on.
pub fn comtrade(waves: &Waves, event_s: Option<f64>, stretch: &Stretch, head: &Head, encoding: Encoding) -> Comtrade {
    let (first, count) = stretch.samples(head.rate);
    let frames: Vec<[f64; 6]> = waves.stretch(stretch, head.rate).collect();
    let analogues: Vec<Analogue> = (0..6)
        .filter(|&channel| waves.channels().nth(channel).is_some_and(|wave| !wave.is_silent()))
        .map(|channel| analogue(channel, &frames, encoding))
        .collect();
    let step_us = 1e6 / f64::from(head.rate);
    // 0.001 is a nanosecond: enough for 4.29 s.
    let mut multiplier = 0.001;
    while (count as f64) * step_us / multiplier > LAST_STAMP {
        multiplier *= 10.0;
    }
    let mut dat = Vec::with_capacity(count * (10 + 4 * analogues.len()));
    for (n, frame) in frames.iter().enumerate() {
        let seconds = (first + n as i64) as f64 / f64::from(head.rate);
        let on = event_s.is_some_and(|length| (0.0..length).contains(&seconds));
        let stamp = (n as f64 * step_us / multiplier).round() as u32;
        record(&mut dat, n as u32 + 1, stamp, frame, &analogues, on, encoding);
    }
    let cfg = configuration(waves, &analogues, head, encoding, count, multiplier);
    Comtrade { cfg, dat }
}

fn analogue(channel: usize, frames: &[[f64; 6]], encoding: Encoding) -> Analogue {
    if encoding == Encoding::Float32 {
        return Analogue { channel, factor_text: "1".into(), factor: 1.0 };
    }
    let peak = frames.iter().map(|frame| frame[channel].abs()).fold(1e-9, f64::max);
    // Rounded up in its tenth digit: no value passes the largest integer.
    let factor_text = format!("{:.9E}", peak / (LARGEST - 1000.0));
    let factor = factor_text.parse().unwrap_or(1.0);
    Analogue { channel, factor_text, factor }
}

fn record(
    dat: &mut Vec<u8>,
    number: u32,
    stamp: u32,
    frame: &[f64; 6],
    analogues: &[Analogue],
    on: bool,
    encoding: Encoding,
) {
    let integer = |a: &Analogue| (frame[a.channel] / a.factor).round().clamp(-LARGEST, LARGEST) as i32;
    if encoding == Encoding::Ascii {
        let mut line = format!("{number},{stamp}");
        for a in analogues {
            let _ = write!(line, ",{}", integer(a));
        }
        let _ = write!(line, ",{}\r\n", u8::from(on));
        dat.extend_from_slice(line.as_bytes());
        return;
    }
    dat.extend_from_slice(&number.to_le_bytes());
    dat.extend_from_slice(&stamp.to_le_bytes());
    for a in analogues {
        match encoding {
            Encoding::Float32 => dat.extend_from_slice(&(frame[a.channel] as f32).to_le_bytes()),
            _ => dat.extend_from_slice(&integer(a).to_le_bytes()),
        }
    }
    dat.extend_from_slice(&u16::from(on).to_le_bytes());
}

fn configuration(
    waves: &Waves,
    analogues: &[Analogue],
    head: &Head,
    encoding: Encoding,
    count: usize,
    multiplier: f64,
) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&text);
        out.push_str("\r\n");
    };
    line(format!("{},{},2013", text(&head.station), text(&head.device)));
    line(format!("{},{}A,1D", analogues.len() + 1, analogues.len()));
    // Bounds of the values as they stand in the data.
    let (low, high) = match encoding {
        Encoding::Float32 => ("-3.4028235E38", "3.4028235E38"),
        _ => ("-2147483647", "2147483647"),
    };
    for (n, a) in analogues.iter().enumerate() {
        let (name, unit) = (CHANNELS[a.channel], if a.channel < 3 { "V" } else { "A" });
        let (number, phase, factor) = (n + 1, &name[1..], &a.factor_text);
        line(format!("{number},{name},{phase},,{unit},{factor},0,0,{low},{high},1,1,P"));
    }
    line("1,EVENT,,,0".to_owned());
    line(waves.voltage[0].hertz().to_string());
    line("1".to_owned());
    line(format!("{},{count}", head.rate));
    line(head.first.to_string());
    line(head.trigger.to_string());
    line(encoding.word().to_owned());
    // 0.001 times tens is rounded to what is meant.
    line(format!("{}", (multiplier * 1000.0).round() / 1000.0));
    let code = time_code(head.offset_minutes);
    line(format!("{code},{code}"));
    // The clock of a computer: within ten seconds, leap seconds unknown.
    line("B,3".to_owned());
    out
}

/// `0`, `-4`, `+5h30`
fn time_code(minutes: i32) -> String {
    let (sign, hours, rest) = (if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60);
    match (hours, rest) {
        (0, 0) => "0".to_owned(),
        (_, 0) => format!("{sign}{hours}"),
        _ => format!("{sign}{hours}h{rest:02}"),
    }
}

/// Without commas and control characters, ASCII, at most 64.
fn text(words: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() && c != ',' { c } else { ' ' };
    let words: String = words.chars().map(plain).collect();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use crate::{Played, Sine, Sines, VoltageEvent};

    use super::*;

    fn played(seconds: f64) -> Played {
        let sine = |rms, lag_deg| Sine { rms, lag_deg };
        let voltage = [sine(230.0, 0.0), sine(230.0, 120.0), sine(230.0, 240.0)];
        let current = [sine(5.0, 0.0), Sine::default(), Sine::default()];
        let phases = [true, false, false];
        let event = VoltageEvent { phases, share: 0.4, seconds, point_on_wave_deg: 0.0, phase_jump_deg: 0.0 };
        let sines = Sines { hertz: 50.0, voltage, current };
        let words = "a dip, to 40 %".to_owned();
        Played { step: 1, words, from_ns: 0, to_ns: 0, sines, waveform: Default::default(), event: Some(event) }
    }

    fn head(rate: u32) -> Head {
        let first = Moment { year: 2026, month: 11, day: 21, hour: 12, minute: 0, second: 4, microsecond: 800_000 };
        let trigger = Moment { second: 5, microsecond: 0, ..first };
        let (station, device) = ("Bench, one\tposition äöü".into(), "x".repeat(70));
        Head { station, device, first, trigger, offset_minutes: 330, rate }
    }

    fn written(encoding: Encoding) -> (Comtrade, Vec<[f64; 6]>) {
        let (played, rate) = (played(0.04), 12_800);
        let stretch = &played.stretches(false)[0];
        let waves = played.waves();
        let frames = waves.stretch(stretch, rate).collect();
        (comtrade(&waves, Some(0.04), stretch, &head(rate), encoding), frames)
    }

    #[test]
    fn a_configuration_has_the_lines_of_the_standard() {
        let (files, frames) = written(Encoding::Float32);
        let lines: Vec<&str> = files.cfg.split("\r\n").collect();
        let device = "x".repeat(64);
        #[rustfmt::skip]
        let expected = [
            &format!("Bench one position,{device},2013"),
            "5,4A,1D",
            "1,UL1,L1,,V,1,0,0,-3.4028235E38,3.4028235E38,1,1,P",
            "2,UL2,L2,,V,1,0,0,-3.4028235E38,3.4028235E38,1,1,P",
            "3,UL3,L3,,V,1,0,0,-3.4028235E38,3.4028235E38,1,1,P",
            "4,IL1,L1,,A,1,0,0,-3.4028235E38,3.4028235E38,1,1,P",
            "1,EVENT,,,0",
            "50",
            "1",
            &format!("12800,{}", frames.len()),
            "21/11/2026,12:00:04.800000",
            "21/11/2026,12:00:05.000000",
            "FLOAT32",
            "0.001",
            "+5h30,+5h30",
            "B,3",
            "",
        ];
        assert_eq!(lines, expected);
        assert!(!files.cfg.replace("\r\n", "").contains(['\r', '\n']) && files.cfg.is_ascii());
    }

    /// Records of binary integers, read back: half a step of the integer is all that is lost.
    #[test]
    fn a_value_is_its_integer_times_the_factor_that_is_printed() {
        let (files, frames) = written(Encoding::Binary32);
        let factors: Vec<f64> = files
            .cfg
            .split("\r\n")
            .skip(2)
            .take(4)
            .map(|line| line.split(',').nth(5).unwrap().parse().unwrap())
            .collect();
        let size = 8 + 4 * 4 + 2;
        assert_eq!(files.dat.len(), frames.len() * size);
        let mut on = 0;
        for (n, (record, frame)) in files.dat.chunks(size).zip(&frames).enumerate() {
            let word = |at: usize| u32::from_le_bytes(record[at..at + 4].try_into().unwrap());
            assert_eq!((word(0), word(4)), (n as u32 + 1, (n as u32) * 78_125));
            for (place, channel) in [0, 1, 2, 3].into_iter().enumerate() {
                let value = f64::from(word(8 + 4 * place) as i32) * factors[place];
                assert!((value - frame[channel]).abs() <= 0.5001 * factors[place], "{n} {channel}");
            }
            on += u32::from(record[size - 2]);
        }
        assert_eq!(on, 512, "samples of 40 ms");
        assert!(factors[0] < 2e-7, "the range of the integer is used: {factors:?}");
    }

    #[test]
    fn text_data_have_the_same_integers() {
        let (binary, text) = (written(Encoding::Binary32).0, written(Encoding::Ascii).0);
        let text = String::from_utf8(text.dat).unwrap();
        for (record, line) in binary.dat.chunks(26).zip(text.split_terminator("\r\n")) {
            let integer = |at: usize| i32::from_le_bytes(record[at..at + 4].try_into().unwrap());
            let expected = [0, 4, 8, 12, 16, 20].map(|at| integer(at).to_string()).join(",");
            assert_eq!(line, format!("{expected},{}", record[24]));
        }
    }

    #[test]
    fn time_stamps_of_a_long_stretch_still_fit() {
        let played = played(60.0);
        let stretch = &played.stretches(true)[0];
        let files = comtrade(&played.waves(), Some(60.0), stretch, &head(1000), Encoding::Float32);
        assert!(files.cfg.contains("FLOAT32\r\n0.1\r\n"), "{}", files.cfg);
        let last = files.dat.len() - 26;
        let stamp = u32::from_le_bytes(files.dat[last + 4..last + 8].try_into().unwrap());
        assert_eq!(stamp, 604_000_000, "60.4 s in steps of 0.1 µs");
        assert_eq!([0, -240, 330].map(time_code), ["0", "-4", "+5h30"]);
    }
}
