//! Events of half cycles, windows and ticks that are made up: every rule of the tables, and ten thousand events at random.

use std::vec;
use std::vec::Vec;

use meterbench_metrology::{Found, HalfCycle, QualityWindow, Unbalance};

use super::aggregates::{Harmonics, NO_HARMONICS};
use super::event::tests::ms;
use super::event::{Event, Timeline, Told};
use super::kind::EventKind;
use super::limits::Limit;
use super::monitor::{Monitor, Tick};
use crate::TypeNumber;
use crate::clock::Clock;

const THREE_PHASE: &str = "684-2-41D-1312AA70-1B14001";
const SINGLE_PHASE: &str = "686-2-41D-1112AA70-1B14001";
const OMNIPOWER: &str = "686-11-11B-N14-3001-001";
/// Udin in 0.01 %.
const FULL: [u16; 3] = [10_000; 3];

/// A monitor of 230 V at 50 Hz, its clock, and what it told.
struct Bench {
    monitor: Monitor,
    clock: Clock,
    /// Half cycles of 10 ms since power-up.
    halves: u64,
    unbalance: Option<Unbalance>,
    thd: u16,
    told: Vec<Told>,
    harmonics: Harmonics,
}

impl Bench {
    fn new(type_number: &str) -> Self {
        let profile = *type_number.parse::<TypeNumber>().unwrap().profile();
        let mut clock = Clock::cold(-60, crate::clock::DaylightSaving::EUROPE);
        clock.set_utc(7200 * 1000).unwrap();
        let unbalance = Some(Unbalance { negative: 0, zero: 0, positive_mv: 230_000 });
        let monitor = Monitor::new(&profile, 230);
        Self { monitor, clock, halves: 0, unbalance, thd: 0, told: Vec::new(), harmonics: NO_HARMONICS }
    }

    /// One that has been steady for two seconds.
    fn steady(type_number: &str) -> Self {
        let mut bench = Self::new(type_number);
        bench.run(FULL, 200);
        bench
    }

    /// Half cycles of this voltage (0.01 % of Udin).
    fn run(&mut self, levels: [u16; 3], halves: u64) {
        let voltage_mv = levels.map(|level| u32::from(level) * 23);
        for _ in 0..halves {
            self.halves += 1;
            self.clock.advance(80);
            let (end, index) = (ms(10 * self.halves), 80 * self.halves);
            let half = HalfCycle { end, duration: 80 << 16, voltage_mv, current_ma: [5000; 3] };
            let time = Timeline { clock: &self.clock, index };
            self.monitor.found(&Found::HalfCycle(&half), &time, &mut self.harmonics);
            if self.halves.is_multiple_of(20) {
                let window = QualityWindow {
                    end,
                    duration: 1600 << 16,
                    clean: true,
                    voltage_mv,
                    current_ma: [5000; 3],
                    spectrum: Some(&SINE),
                    thd_voltage: [self.thd; 3],
                    thd_current: [0; 3],
                    unbalance: self.unbalance,
                };
                self.monitor.found(&Found::Window(&window), &time, &mut self.harmonics);
            }
            if self.halves.is_multiple_of(1000) {
                let utc = self.clock.utc_seconds();
                self.monitor.tick(&Tick { utc, moment: super::event::Moment::of(&self.clock), index });
            }
            if self.monitor.has_told() {
                self.told.extend(self.monitor.take_told());
            }
        }
    }

    /// Half cycles of this voltage on L1 alone.
    fn first(&mut self, level: u16, halves: u64) {
        self.run([level, FULL[1], FULL[2]], halves);
    }

    /// What ended since the last time.
    fn ended(&mut self) -> Vec<Event> {
        let told = std::mem::take(&mut self.told);
        told.into_iter().filter_map(|told| if let Told::Ended(event) = told { Some(event) } else { None }).collect()
    }

    /// Kind, phases, duration (ms) and worst value of what ended since the last time.
    fn brief(&mut self) -> Vec<(EventKind, u8, u32, u32)> {
        self.ended().iter().map(|event| (event.kind, event.phases, event.duration_ms, event.extreme)).collect()
    }
}

/// A sine without harmonics.
static SINE: meterbench_metrology::Spectrum = {
    let mut orders = [meterbench_metrology::Phasor { re: 0.0, im: 0.0 }; meterbench_metrology::HIGHEST_ORDER];
    orders[0].re = 230.0;
    meterbench_metrology::Spectrum { voltage: [orders; 3], current: [orders; 3] }
};

/// A voltage that falls for so many half cycles on zero crossings: the values of its first and last cycle are of both sides.
fn rectangular(bench: &mut Bench, residual: u16, halves: u64) {
    let mixed = (((10_000.0f64.powi(2) + f64::from(residual).powi(2)) / 2.0).sqrt()).round() as u16;
    bench.first(mixed, 1);
    bench.first(residual, halves - 1);
    bench.first(mixed, 1);
    bench.run(FULL, 10);
}

#[test]
fn rectangular_dips_last_as_long_as_the_method_says() {
    // Residual voltage, and what is read of 10, 20, 40 and 100 ms (ms, 0.01 %).
    type Read = Option<(u32, u32)>;
    #[rustfmt::skip]
    let table: [(u16, [Read; 4]); 6] = [
        (8_900, [None,              Some((10, 8_900)), Some((30, 8_900)), Some(( 90, 8_900))]),
        (8_500, [None,              Some((10, 8_500)), Some((30, 8_500)), Some(( 90, 8_500))]),
        (8_000, [None,              Some((20, 8_000)), Some((40, 8_000)), Some((100, 8_000))]),
        (7_000, [Some((20, 8_631)), Some((30, 7_000)), Some((50, 7_000)), Some((110, 7_000))]),
        (5_000, [Some((20, 7_906)), Some((30, 5_000)), Some((50, 5_000)), Some((110, 5_000))]),
        (    0, [Some((20, 7_071)), Some((30,     0)), Some((50,     0)), Some((110,     0))]),
    ];
    for (residual, row) in table {
        for (expected, halves) in row.into_iter().zip([1, 2, 4, 10]) {
            let mut bench = Bench::steady(THREE_PHASE);
            rectangular(&mut bench, residual, halves);
            let expected: Vec<_> = expected.into_iter().map(|(ms, low)| (EventKind::Dip, 1, ms, low)).collect();
            assert_eq!(bench.brief(), expected, "{residual} for {halves} half cycles");
        }
    }
}

#[test]
fn a_voltage_at_a_threshold_begins_nothing_and_one_at_its_hysteresis_ends_what_lasts() {
    let mut bench = Bench::steady(SINGLE_PHASE);
    bench.first(9_000, 50);
    bench.first(11_000, 50);
    bench.run(FULL, 100);
    assert_eq!(bench.brief().iter().filter(|row| row.0 != EventKind::RapidChange).count(), 0);
    bench.first(8_999, 5);
    bench.first(9_199, 7);
    bench.first(9_200, 1);
    assert_eq!(bench.brief(), [(EventKind::Dip, 1, 120, 8_999)]);
    bench.first(11_001, 5);
    bench.first(10_801, 7);
    bench.first(10_800, 1);
    assert_eq!(bench.brief(), [(EventKind::Swell, 1, 120, 11_001)]);
}

#[test]
fn a_polyphase_dip_is_one_event_of_all_phases_that_fell() {
    let mut bench = Bench::steady(THREE_PHASE);
    bench.run([7_000, 10_000, 10_000], 5);
    bench.run([7_000, 10_000, 6_000], 5);
    bench.run([10_000, 9_100, 6_500], 5);
    // L2 never passed the threshold.
    bench.run([10_000, 10_000, 9_150], 5);
    bench.run(FULL, 5);
    let events = bench.ended();
    assert_eq!(events.len(), 1);
    let Event { kind, phases, duration_ms, extreme, begun } = events[0];
    assert_eq!((kind, phases, duration_ms, extreme), (EventKind::Dip, 0b101, 200, 6_000));
    // The cycle of the value that crossed began 20 ms before the end of that half cycle, 2.01 s after power-up.
    assert_eq!((begun.stamp.utc, begun.hundredths), (7200 * 1000 + 1, 99));
    let counters = bench.monitor.counters;
    assert_eq!((counters.kinds[0], counters.sags, counters.swells), (1, [1, 0, 1], [0; 3]));
}

#[test]
fn a_swell_and_a_dip_at_once_are_two_events() {
    let mut bench = Bench::steady(THREE_PHASE);
    bench.run([12_000, 8_000, 10_000], 10);
    bench.run(FULL, 10);
    assert_eq!(bench.brief(), [(EventKind::Dip, 2, 100, 8_000), (EventKind::Swell, 1, 100, 12_000)]);
    assert_eq!(bench.monitor.counters.swells, [1, 0, 0]);
}

#[test]
fn an_interruption_is_of_all_phases_and_no_dip() {
    let mut bench = Bench::steady(THREE_PHASE);
    bench.run([7_071; 3], 1);
    bench.run([0, 20, 499], 100);
    bench.run([0, 20, 699], 10);
    bench.run([7_071; 3], 1);
    bench.run(FULL, 10);
    assert_eq!(bench.brief(), [(EventKind::Interruption, 0b111, 1100, 0)]);
    assert_eq!((bench.monitor.counters.kinds[0], bench.monitor.counters.sags), (0, [0; 3]));
    // Two phases are no interruption, and 6 % is none.
    bench.run([0, 0, 10_000], 100);
    bench.run(FULL, 10);
    bench.run([600; 3], 100);
    bench.run(FULL, 10);
    assert_eq!(bench.brief(), [(EventKind::Dip, 0b011, 1000, 0), (EventKind::Dip, 0b111, 1000, 600)]);
}

#[test]
fn what_stays_low_after_an_interruption_is_a_dip() {
    let mut bench = Bench::steady(THREE_PHASE);
    bench.run([0; 3], 50);
    bench.run([10_000, 0, 0], 250);
    bench.run(FULL, 10);
    assert_eq!(bench.brief(), [(EventKind::Interruption, 0b111, 500, 0), (EventKind::Dip, 0b110, 2500, 0)]);
    // One that comes back within two seconds belongs to the interruption, and the next dip is one again.
    bench.run([0; 3], 50);
    (0..200u16).for_each(|n| bench.run([1_000 + 40 * n; 3], 1));
    bench.run(FULL, 10);
    bench.run([5_000, 10_000, 10_000], 10);
    bench.run(FULL, 300);
    assert_eq!(bench.brief(), [(EventKind::Interruption, 0b111, 500, 0), (EventKind::Dip, 1, 100, 5_000)]);
}

#[test]
fn an_omnipower_knows_no_interruption_and_takes_it_for_a_dip() {
    let mut bench = Bench::steady(OMNIPOWER);
    bench.run([0; 3], 50);
    bench.run([9_400; 3], 300);
    bench.run(FULL, 300);
    assert_eq!(bench.brief(), [(EventKind::Dip, 1, 500, 0)]);
}

#[test]
fn rapid_changes_are_those_of_the_algorithm() {
    use EventKind::{Dip, RapidChange};
    // Level and half cycles of each part, after two seconds at 100 %; what is told.
    type Parts = &'static [(u16, u64)];
    type Rows = &'static [(EventKind, u8, u32, u32)];
    #[rustfmt::skip]
    let cases: [(u16, Parts, Rows); 7] = [
        (500, &[(9_400, 300)],                            &[(RapidChange, 1, 0, 600)]),
        (330, &[(9_600, 300), (10_000, 300)],             &[(RapidChange, 1, 0, 400), (RapidChange, 1, 0, 400)]),
        (330, &[(9_500,  50), (10_000, 300)],             &[(RapidChange, 1, 490, 500)]),
        (500, &[(8_800, 300), (10_000, 300)],             &[(Dip, 1, 3000, 8_800)]),
        (500, &[(9_700, 300)],                            &[]),
        (500, &[(9_500, 300)],                            &[]),
        (500, &[(9_300,  10), (10_700, 10), (10_000, 300)], &[(RapidChange, 1, 190, 700)]),
    ];
    for (threshold, parts, expected) in cases {
        let mut bench = Bench::steady(SINGLE_PHASE);
        bench.monitor.limits = bench
            .monitor
            .limits
            .with(Limit::RapidChangeHysteresis, threshold / 2)
            .and_then(|limits| limits.with(Limit::RapidChange, threshold))
            .unwrap();
        parts.iter().for_each(|(level, halves)| bench.first(*level, *halves));
        let told = bench.brief();
        assert_eq!(told.len(), expected.len(), "{parts:?}: {told:?}");
        for ((kind, phases, ms, extreme), (of, by, lasted, worst)) in told.iter().zip(expected) {
            assert_eq!((kind, phases, extreme), (of, by, worst), "{parts:?}");
            // A step lasts nothing; the second to be filled is known to one cycle.
            assert!(ms.abs_diff(*lasted) <= 20, "{parts:?}: {ms} ms");
        }
    }
}

#[test]
fn a_ramp_is_no_rapid_change_and_one_phase_is_enough() {
    let mut bench = Bench::steady(THREE_PHASE);
    (0..5_000u16).step_by(2).for_each(|n| bench.run([10_000 - n / 10; 3], 2));
    bench.run([9_500; 3], 200);
    assert_eq!(bench.brief(), []);
    bench.run([9_500, 9_500, 10_200], 300);
    assert_eq!(bench.brief(), [(EventKind::RapidChange, 0b100, 0, 700)]);
}

#[test]
fn bounds_decide_as_every_value_would() {
    use super::event::Outbox;
    use super::limits::Limits;
    use super::rapid::RapidChange;
    use super::voltage::HalfCycleLevels;
    // The algorithm as it is printed, beside the one with sums and bounds.
    let mut random = random();
    let (mut rapid, mut out, limits) = (RapidChange::NEW, Outbox::default(), Limits::DELIVERED);
    let clock = Clock::cold(0, crate::clock::DaylightSaving::EUROPE);
    let mut values: Vec<i64> = Vec::new();
    let (mut was_steady, mut event, mut begun, mut told) = (None, false, 0, 0);
    let mut level = 10_000u16;
    for n in 0..200_000u64 {
        if random(150) == 0 {
            level = 9_200 + random(1_600) as u16;
        }
        let now = level + random(80) as u16;
        let half = HalfCycleLevels {
            levels: &[now],
            lowest: now,
            highest: now,
            begun: ms(10 * n),
            values: Default::default(),
        };
        rapid.half_cycle(&half, 80 << 16, &limits, false, &Timeline { clock: &clock, index: 80 * n }, &mut out);
        values.push(now.into());
        let events = out.take().collect::<Vec<_>>();
        let mut expected = None;
        if values.len() >= 100 {
            let last = &values[values.len() - 100..];
            let sum: i64 = last.iter().sum();
            let within = if event { 250 } else { 500 };
            let steady = last.iter().all(|value| (100 * value - sum).abs() <= 100 * within);
            match (was_steady, steady) {
                (Some(true), false) => (event, begun) = (true, n),
                (Some(false), true) if event => {
                    event = false;
                    expected = Some((n - begun).saturating_sub(100) as u32 * 10);
                }
                _ => {}
            }
            was_steady = Some(steady);
        }
        let found = events.iter().map(|told| if let Told::Ended(event) = told { event.duration_ms } else { 0 });
        assert_eq!(found.collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>(), "half cycle {n}");
        told += events.len();
    }
    assert!(told > 300, "{told}");
}

/// Numbers below a bound.
fn random() -> impl FnMut(u64) -> u64 {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) % below
    }
}

#[test]
fn ten_thousand_events_are_told_exactly_and_no_other() {
    let mut random = random();
    let mut bench = Bench::steady(THREE_PHASE);
    let (mut expected, mut counts, mut sags, mut swells) = (Vec::new(), [0u32; 3], [0u32; 3], [0u32; 3]);
    for _ in 0..10_000 {
        let (kind, halves) = (random(3), 1 + random(60));
        // At least one phase; noise of 1 % around what the others have.
        let phases = if kind == 2 { 0b111 } else { 1 + random(7) as u8 };
        let mut worst: Option<u16> = None;
        for _ in 0..halves {
            let levels = core::array::from_fn(|phase| {
                let others = 9_950 + random(101) as u16;
                if phases >> phase & 1 == 0 {
                    return others;
                }
                match kind {
                    0 => 600 + random(8_400) as u16,
                    1 => 11_001 + random(4_000) as u16,
                    _ => random(500) as u16,
                }
            });
            let hit = (0..3).filter(|phase| phases >> phase & 1 == 1).map(|phase| levels[phase]);
            let worse = if kind == 1 { hit.max() } else { hit.min() };
            worst = worst.into_iter().chain(worse).reduce(if kind == 1 { u16::max } else { u16::min });
            bench.run(levels, 1);
        }
        let quiet = 4 + random(40);
        for _ in 0..quiet {
            let levels = core::array::from_fn(|_| 9_950 + random(101) as u16);
            bench.run(levels, 1);
        }
        let kind = [EventKind::Dip, EventKind::Swell, EventKind::Interruption][kind as usize];
        expected.push((kind, phases, halves as u32 * 10, u32::from(worst.unwrap())));
        counts[kind.number()] += 1;
        let by_phase = match kind {
            EventKind::Dip => &mut sags,
            EventKind::Swell => &mut swells,
            _ => continue,
        };
        (0..3).filter(|phase| phases >> phase & 1 == 1).for_each(|phase| by_phase[phase] += 1);
    }
    bench.run(FULL, 300);
    let told = bench.brief();
    assert_eq!(told.len(), expected.len());
    assert_eq!(told, expected);
    let counters = bench.monitor.counters;
    assert_eq!((&counters.kinds[..3], counters.sags, counters.swells), (&counts[..], sags, swells));
    assert_eq!(counters.kinds[3..], [0; 8], "nothing else happened");
}

#[test]
fn a_week_inside_the_limits_tells_nothing() {
    let mut random = random();
    let mut bench = Bench::steady(THREE_PHASE);
    // Within 91 and 109 %, moving by less than 0.2 % a second; u2 up to 1.9 %, THD up to 7.9 %.
    let mut level = 10_000u16;
    for _ in 0..7 * 86_400 {
        level = (level + random(41) as u16 - 20).clamp(9_150, 10_850);
        let negative = random(1_900) as u32;
        bench.unbalance = Some(Unbalance { negative, zero: negative + 100, positive_mv: 230_000 });
        bench.thd = random(790) as u16;
        let noise = random(20) as u16;
        bench.run([level, level + noise, level - noise], 100);
        assert_eq!(bench.told, []);
    }
    assert_eq!((bench.monitor.counters, bench.monitor.alarms.register), (Default::default(), 0));
}

impl Bench {
    /// Up to the next whole ten minutes.
    fn ten_minutes(&mut self, levels: [u16; 3]) {
        let left = 60_000 - self.halves % 60_000;
        self.run(levels, left);
    }
}

#[test]
fn ten_minutes_beyond_a_limit_make_one_event_until_they_lie_within() {
    use EventKind::{Overvoltage, Swell, Undervoltage};
    let mut bench = Bench::new(THREE_PHASE);
    // The interval in which the meter started is not whole.
    bench.ten_minutes([8_900, 10_000, 10_000]);
    bench.ten_minutes(FULL);
    assert_eq!(bench.brief().iter().map(|row| row.0).collect::<Vec<_>>(), [EventKind::Dip]);
    bench.ten_minutes([9_000, 11_000, 10_000]);
    bench.ten_minutes([8_900, 11_200, 11_100]);
    bench.ten_minutes([8_850, 10_000, 11_500]);
    bench.ten_minutes(FULL);
    let told = bench.ended();
    let runs: Vec<_> = told.iter().filter(|event| matches!(event.kind, Undervoltage | Overvoltage)).collect();
    let brief = |event: &Event| (event.kind, event.phases, event.duration_ms, event.extreme);
    assert_eq!(brief(runs[0]), (Undervoltage, 1, 1_200_000, 8_850));
    assert_eq!(brief(runs[1]), (Overvoltage, 0b110, 1_200_000, 11_500));
    assert_eq!(runs.len(), 2);
    // From the whole ten minutes on; the swell that made it began within the first cycle of it.
    assert_eq!((runs[0].begun.stamp.utc % 600, runs[0].begun.hundredths), (0, 0));
    assert!(told.iter().any(|event| event.kind == Swell));
    assert_eq!(bench.monitor.counters.kinds[3..5], [1, 1]);
}

#[test]
fn an_interval_with_an_interruption_says_nothing_of_voltages() {
    let mut bench = Bench::new(SINGLE_PHASE);
    bench.ten_minutes(FULL);
    bench.run([100; 3], 30_000);
    bench.ten_minutes(FULL);
    bench.ten_minutes(FULL);
    assert_eq!(bench.brief(), [(EventKind::Interruption, 1, 300_000, 100)]);
}

#[test]
fn unbalance_and_distortion_are_judged_by_what_is_not_flagged() {
    let mut bench = Bench::new(THREE_PHASE);
    bench.ten_minutes(FULL);
    let beyond = Some(Unbalance { negative: 2_500, zero: 0, positive_mv: 230_000 });
    (bench.unbalance, bench.thd) = (beyond, 850);
    bench.ten_minutes(FULL);
    // A dip flags the interval: nothing is known of it.
    bench.run([5_000, 10_000, 10_000], 10);
    bench.ten_minutes(FULL);
    bench.unbalance = Some(Unbalance { negative: 2_600, zero: 0, positive_mv: 230_000 });
    bench.ten_minutes(FULL);
    (bench.unbalance, bench.thd) = (Some(Unbalance { negative: 2_000, zero: 0, positive_mv: 230_000 }), 800);
    bench.ten_minutes(FULL);
    let told = bench.brief();
    assert_eq!(told[0].0, EventKind::Dip);
    assert_eq!(
        told[1..],
        [(EventKind::Unbalance, 0b111, 1_800_000, 260), (EventKind::Distortion, 0b111, 1_800_000, 850)]
    );
    let mut bench = Bench::new(THREE_PHASE);
    bench.ten_minutes(FULL);
    (bench.unbalance, bench.thd) = (beyond, 850);
    bench.run([5_000, 10_000, 10_000], 10);
    bench.ten_minutes(FULL);
    (bench.unbalance, bench.thd) = (None, 0);
    bench.ten_minutes(FULL);
    assert_eq!(bench.brief().iter().map(|row| row.0).collect::<Vec<_>>(), [EventKind::Dip]);
}

#[test]
fn a_dip_flags_the_values_of_its_time_and_no_other() {
    use super::aggregates::FlagOf;
    const ALL: [FlagOf; 5] = [FlagOf::Window, FlagOf::Short, FlagOf::TenMinutes, FlagOf::TwoHours, FlagOf::TenSeconds];
    let flags = |bench: &Bench| ALL.map(|of| bench.monitor.is_flagged(of));
    let mut bench = Bench::new(THREE_PHASE);
    // Whole two hours from here on.
    (0..13).for_each(|_| bench.ten_minutes(FULL));
    bench.run(FULL, 300);
    assert_eq!(flags(&bench), [false, false, false, true, false], "the two hours in which the meter started");
    bench.first(5_000, 5);
    bench.first(10_000, 15);
    assert_eq!(flags(&bench), [true, false, false, true, false]);
    bench.run(FULL, 20);
    assert_eq!(flags(&bench), [false, false, false, true, false]);
    bench.run(FULL, 260);
    assert_eq!(flags(&bench), [false, true, false, true, false]);
    // The first half cycle behind the tick tells the frequency.
    bench.run(FULL, 401);
    assert_eq!(flags(&bench), [false, false, false, true, true]);
    bench.ten_minutes(FULL);
    assert_eq!(flags(&bench), [false, false, true, true, false]);
    (0..10).for_each(|_| bench.ten_minutes(FULL));
    bench.ten_minutes(FULL);
    let voltage = bench.monitor.aggregates.two_hours;
    assert_eq!((voltage.flagged, voltage.values), (true, [Some(230_000); 3]));
    (0..12).for_each(|_| bench.ten_minutes(FULL));
    assert_eq!(flags(&bench), [false; 5]);
}

#[test]
fn frequencies_are_judged_by_ten_seconds() {
    // Half cycles of another length, fed by hand: 50.6 Hz from 20 s to 45 s.
    let mut bench = Bench::new(SINGLE_PHASE);
    let (mut at, mut next_tick) = (0u64, 10_000u64);
    let mut told = Vec::new();
    while at < 80_000 * 65_536 * 8 {
        let is_high = (20_000..45_000).contains(&(at / 65_536 / 8));
        let half = if is_high { 80_000u64 * 65_536 * 50 / 100 / 506 } else { 80 << 16 };
        at += half;
        let end = super::event::instant(at);
        bench.clock = bench.clock.moved(0);
        let time = Timeline { clock: &bench.clock, index: end.index() };
        let found = HalfCycle { end, duration: half as u32, voltage_mv: [230_000; 3], current_ma: [0; 3] };
        bench.monitor.found(&Found::HalfCycle(&found), &time, &mut bench.harmonics);
        if end.index() / 8 >= next_tick {
            bench.clock.advance(80_000);
            let tick = Tick {
                utc: bench.clock.utc_seconds(),
                moment: super::event::Moment::of(&bench.clock),
                index: 8 * next_tick,
            };
            bench.monitor.tick(&tick);
            next_tick += 10_000;
        }
        told.extend(bench.monitor.take_told());
    }
    // 20 to 40 s lie beyond; 45 s of 50 s is 50.3 Hz on average.
    let Some(Told::Ended(event)) = told.pop() else { panic!("{told:?}") };
    assert_eq!((event.kind, event.phases, event.duration_ms), (EventKind::Frequency, 0, 20_000));
    assert!(event.extreme.abs_diff(50_600) <= 1, "{}", event.extreme);
    assert!(told.is_empty());
}

#[test]
fn broken_conductors_are_told_and_what_looks_like_them_is_not() {
    use EventKind::{LostMvPhase, LostNeutral};
    // u2 and u0 (0.001 %), positive sequence (% of Udin); facts of the waveforms, section 8.
    type Found = Option<(EventKind, u32)>;
    #[rustfmt::skip]
    let cases: [(u32, u32, u32, Found); 13] = [
        (      0,  20_000, 100, Some((LostNeutral, 2_000))),
        (      0,  25_000, 100, Some((LostNeutral, 2_500))),
        (      0, 100_000, 100, Some((LostNeutral, 10_000))),
        (  2_000,  28_900,  98, Some((LostNeutral, 2_890))),
        ( 99_900,       0,  50, Some((LostMvPhase, 9_990))),
        ( 30_000,       0,  77, Some((LostMvPhase, 3_000))),
        (  2_000,   2_000, 100, None), // one phase loaded
        ( 15_000,  15_000,  85, None), // one phase dips
        ( 50_000,  50_000,  66, None), // one fuse blown
        (  3_000,       0, 100, None), // unbalance alone
        (  1_000,   9_000, 100, None), // a zero sequence that loads make
        (      0,  30_000,  20, None), // no line voltages
        (900_000,       0,  10, None), // two phases exchanged
    ];
    for (negative, zero, positive, expected) in cases {
        let mut bench = Bench::steady(THREE_PHASE);
        bench.unbalance = Some(Unbalance { negative, zero, positive_mv: positive * 2_300 });
        bench.run(FULL, 299);
        assert_eq!(bench.told, [], "not before it held");
        bench.run(FULL, 301);
        let began: Vec<_> = bench.told.iter().map(|told| matches!(told, Told::Began(_))).collect();
        assert_eq!(began, vec![true; usize::from(expected.is_some())], "{negative} {zero} {positive}");
        assert_eq!(bench.monitor.alarms.register, expected.map_or(0, |(kind, _)| kind.bit()));
        bench.unbalance = Some(Unbalance { negative: 0, zero: 0, positive_mv: 230_000 });
        bench.run(FULL, 100);
        let told = bench.brief();
        let expected: Vec<_> = expected.into_iter().map(|(kind, worst)| (kind, 0b111, 6000, worst)).collect();
        assert_eq!(told, expected, "{negative} {zero} {positive}");
    }
}

#[test]
fn a_conductor_that_is_gone_for_a_moment_is_not_broken_and_one_that_is_back_for_a_moment_is() {
    let mut bench = Bench::steady(THREE_PHASE);
    let broken = Some(Unbalance { negative: 0, zero: 25_000, positive_mv: 230_000 });
    bench.unbalance = broken;
    bench.run(FULL, 280);
    bench.unbalance = None;
    bench.run(FULL, 20);
    bench.unbalance = broken;
    bench.run(FULL, 600);
    bench.unbalance = None;
    bench.run(FULL, 80);
    // Above 0.8 of the limit it lasts.
    bench.unbalance = Some(Unbalance { negative: 0, zero: 8_100, positive_mv: 230_000 });
    bench.run(FULL, 300);
    bench.unbalance = None;
    bench.run(FULL, 100);
    assert_eq!(bench.brief(), [(EventKind::LostNeutral, 0b111, 9_800, 2_500)]);
}

#[test]
fn voltages_that_are_away_when_the_supply_goes_are_away_until_it_is_back() {
    use super::kept::KeptQuality;
    let mut bench = Bench::steady(THREE_PHASE);
    let broken = Some(Unbalance { negative: 0, zero: 25_000, positive_mv: 230_000 });
    bench.unbalance = broken;
    bench.run(FULL, 400);
    bench.unbalance = None;
    bench.run([0; 3], 50);
    let kept: KeptQuality = bench.monitor.kept(80 * bench.halves);
    bench.told.clear();
    let mut again = Bench::new(THREE_PHASE);
    again.monitor.restore(&kept, 3_600_000);
    again.run(FULL, 200);
    // What nobody looked at any more ended with the supply: it was seen for 4 s, and once more within its release.
    let told = again.brief();
    assert_eq!(told[0].0, EventKind::LostNeutral);
    let away = (EventKind::Interruption, 0b111, 3_600_000 + 510, 0);
    // To the hold-up of 500 ms and the first cycle that was not whole.
    assert_eq!((told[1].0, told[1].1, told[1].3), (away.0, away.1, away.3));
    assert!(told[1].2.abs_diff(away.2) <= 10, "{} ms", told[1].2);
    assert_eq!(told.len(), 2);
    assert_eq!((again.monitor.counters.kinds[2], again.monitor.counters.kinds[9]), (1, 1));
}

#[test]
fn what_lasts_in_an_image_of_another_type_lasts_no_longer() {
    let mut bench = Bench::steady(THREE_PHASE);
    bench.run([0; 3], 50);
    let kept = bench.monitor.kept(80 * bench.halves);
    let mut other = Bench::new(OMNIPOWER);
    other.monitor.restore(&kept, 0);
    other.run(FULL, 300);
    other.run([5_000; 3], 10);
    other.run(FULL, 10);
    assert_eq!(other.brief(), [(EventKind::Dip, 1, 100, 5_000)]);
    assert_eq!(other.monitor.alarms.filter, 0b1_0001_1011);
}
