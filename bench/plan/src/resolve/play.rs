//! A stimulus meets a meter: Un becomes volts, words become sines, and what this variant has not is said.

use std::ops::Range;

use meterbench_record::{Feature, LoadPoint, Phases};
use meterbench_waveform::{
    BALANCED_LAG_DEG, Component, Distortion, Sine, VoltageEvent, Waveform, lost_mv_phase, lost_neutral, unbalanced,
};

use super::{Action, ResolvedStep, Resolver};
use crate::event_kind::EventKind;
use crate::finding::Finding;
use crate::play_test::{Bounds, EventExpectation, EventSeries, Observable, PlayExpectation, PlayTest, Stage};
use crate::quantity::Amount;
use crate::step::{Event, EventWords, Expected, ExpectedWhat, Play, Point, Shape, Spanned, Step, Wave};

/// A meter whose phases are all below this share of Un may be without supply.
pub const SUPPLY_UN: f64 = 0.7;
/// Highest voltage that is played, in Un: more is a test of what a meter withstands.
const HIGHEST_UN: f64 = 1.4;
/// A voltage below this share of Un is an interruption.
const INTERRUPTION_UN: f64 = 0.05;
/// Between two events where the plan says nothing (s).
const BETWEEN_SECONDS: f64 = 5.0;
/// What a ramp came back to stands so long (s).
const BACK_SECONDS: f64 = 2.0;
/// Frequencies that are played (Hz).
const HERTZ: std::ops::RangeInclusive<f64> = 42.5..=69.0;

impl Resolver<'_> {
    pub(super) fn play(&self, step: &Step, play: &Play, before: &[ResolvedStep]) -> Option<Action> {
        let load = self.standing_load(before);
        self.check_supply(step, &load)?;
        if self.plate.systems == 1
            && let Some(shape @ (Shape::Unbalanced { .. } | Shape::LostNeutral { .. } | Shape::LostMvPhase { .. })) =
                &play.shape
        {
            let of = if matches!(shape, Shape::Unbalanced { .. }) { "unbalance" } else { "neighbouring phases" };
            let why = format!("a single-phase meter has no {of}");
            return Some(Action::NotApplicable { quantity: "event-count", unit: "1", load, why });
        }
        let waveform = match &play.wave {
            None => Waveform::default(),
            Some(wave) => self.waveform(wave, &load)?,
        };
        let stages = self.stages(play, &load, &waveform)?;
        let events = match &play.event {
            None => None,
            Some(event) => Some(self.series(event, &load)?),
        };
        let expect: Vec<Option<PlayExpectation>> =
            play.expect.iter().map(|expected| self.expectation(expected)).collect();
        let expect = expect.into_iter().collect::<Option<Vec<_>>>()?;
        self.check_subjects(step, play, &expect);
        let supplied = |sine: &Sine| sine.rms >= SUPPLY_UN * self.plate.un_volt;
        let stands = stages.last().and_then(|stage| stage.voltage);
        if stands.is_some_and(|sines| !sines[..usize::from(self.plate.systems)].iter().any(supplied)) {
            self.refuse_readings(play);
        }
        let over = events.as_ref().map_or(0.0, |series| self.event_is_over(series, &load));
        let after_seconds = play.after_seconds.unwrap_or_else(|| settling(&expect).max(over));
        Some(Action::Play(Box::new(PlayTest {
            load,
            stages,
            events,
            after_seconds,
            aligned_seconds: play.aligned_seconds,
            port: play.port,
            expect,
        })))
    }

    /// What the last step before left on; voltage alone where none did.
    pub(super) fn standing_load(&self, before: &[ResolvedStep]) -> LoadPoint {
        let left = before.iter().rev().find_map(|step| match &step.action {
            Action::Apply { load } | Action::WarmUp { load, .. } => Some(load.clone()),
            Action::Play(test) => Some(test.load.clone()),
            _ => None,
        });
        left.unwrap_or_else(|| LoadPoint { current: "0 A".into(), ampere: 0.0, ..self.reference_conditions() })
    }

    fn check_subjects(&self, step: &Step, play: &Play, expect: &[PlayExpectation]) {
        for (n, expectation) in expect.iter().enumerate() {
            let of = std::mem::discriminant(&expectation.observable);
            let same = |other: &&PlayExpectation| {
                other.subject == expectation.subject && std::mem::discriminant(&other.observable) == of
            };
            if expect[..n].iter().any(|other| same(&other)) {
                let message = format!("`{}` is expected twice in step `{}`", expectation.subject, step.name);
                let finding = Finding::error("duplicate-id", &play.expect[n].span, message);
                self.findings.push(finding.label("put it into a step of its own"));
            }
        }
    }

    /// How long the meters are left alone after an event of their own voltage (s).
    fn event_is_over(&self, series: &EventSeries, load: &LoadPoint) -> f64 {
        let all = series.event.phases[..usize::from(self.plate.systems)].iter().all(|on| *on);
        let unsupplied = all && series.event.share * load.volt < SUPPLY_UN * self.plate.un_volt;
        let kind = if unsupplied { EventKind::Interruption } else { EventKind::VoltageDip };
        kind.settling_seconds()
    }

    /// Readings are taken while the stimulus stands: a meter without supply gives none.
    fn refuse_readings(&self, play: &Play) {
        for expected in &play.expect {
            if expected.what.is_read() {
                let message = "this is read while the stimulus stands, at which the meters may be without supply";
                let finding = Finding::error("out-of-range", &expected.span, message);
                self.findings.push(finding.label(format!("a phase at {SUPPLY_UN} Un or more, or expect an `event`")));
            }
        }
    }

    fn stages(&self, play: &Play, load: &LoadPoint, waveform: &Waveform) -> Option<Vec<Stage>> {
        let hertz = match &play.frequency {
            None => None,
            Some(frequency) => Some(self.hertz(frequency)?),
        };
        let distorted = |waves: &[Distortion; 3]| waves.iter().any(|wave| !wave.is_none());
        let wave_words = match (distorted(&waveform.voltage), distorted(&waveform.current)) {
            (false, false) => None,
            (true, false) => Some("distorted voltages".to_owned()),
            (false, true) => Some("distorted currents".to_owned()),
            (true, true) => Some("distorted voltages and currents".to_owned()),
        };
        let stage = |words: Vec<Option<String>>, voltage, hertz: Option<f64>, seconds| Stage {
            words: words.into_iter().flatten().collect::<Vec<_>>().join(", "),
            voltage,
            hertz,
            waveform: waveform.clone(),
            over_seconds: 0.0,
            seconds,
        };
        let frequency_words = hertz.map(|hertz| format!("{hertz} Hz"));
        let seconds = play.seconds.unwrap_or(0.0);
        let Some(shape) = &play.shape else {
            let still = waveform.is_none() && hertz.is_none();
            let one = || stage(vec![frequency_words, wave_words], None, hertz, seconds);
            return Some(if still { Vec::new() } else { vec![one()] });
        };
        let volt = load.volt;
        let (words, voltage) = match shape {
            Shape::Unbalanced { span, negative, zero } => {
                let component = |(percent, ahead_deg): (f64, f64)| Component { percent, ahead_deg };
                let words = format!("u2 {} % at {} deg, u0 {} %", negative.0, negative.1, zero.0);
                (words, self.sound(unbalanced(volt, component(*negative), component(*zero)), span)?)
            }
            Shape::LostNeutral { span, admittances: [y1, y2, y3], neutral } => {
                let words = format!("lost neutral, loads {y1}:{y2}:{y3}");
                (words, self.sound(lost_neutral(volt, [*y1, *y2, *y3], *neutral)?, span)?)
            }
            Shape::LostMvPhase { span, phase, transformer, u2_percent } => {
                let words = format!("lost medium-voltage phase L{} behind {transformer:?}", phase + 1);
                (words, self.sound(lost_mv_phase(volt, *phase, *transformer, *u2_percent), span)?)
            }
            Shape::Ramp { target, over_seconds, back_seconds } => {
                let (voltage, to_hertz, words) = self.point(target, load)?;
                let words = format!("ramp to {words} in {over_seconds} s");
                let ramp = stage(vec![Some(words), wave_words], voltage, to_hertz.or(hertz), seconds);
                let back = back_seconds.map(|over_seconds| {
                    let words = vec![Some(format!("back in {over_seconds} s"))];
                    Stage { over_seconds, ..stage(words, None, hertz, BACK_SECONDS) }
                });
                return Some([Stage { over_seconds: *over_seconds, ..ramp }].into_iter().chain(back).collect());
            }
            Shape::Course(points) => {
                let stages = points.iter().map(|(point, seconds)| {
                    let (voltage, at_hertz, words) = self.point(point, load)?;
                    Some(stage(vec![Some(words), wave_words.clone()], voltage, at_hertz.or(hertz), *seconds))
                });
                return stages.collect();
            }
        };
        Some(vec![stage(vec![Some(words), frequency_words, wave_words], Some(voltage), hertz, seconds)])
    }

    /// Voltages, frequency and words of a point of a course.
    fn point(&self, point: &Point, load: &LoadPoint) -> Option<(Option<[Sine; 3]>, Option<f64>, String)> {
        let mut words = Vec::new();
        let voltage = match &point.voltage {
            None => None,
            Some(amount) => {
                let on = self.phases(point.phases.as_ref())?;
                let volt = self.play_volt(amount, &amount.span)?;
                let of = if on == Phases::all(self.plate.systems) { String::new() } else { format!(" on {on}") };
                let jump = point.phase_jump_deg;
                let turned = if jump == 0.0 { String::new() } else { format!(", {jump} deg ahead") };
                words.push(format!("{}{of}{turned}", amount.words));
                let turn = if load.reversed_sequence { [0.0, 240.0, 120.0] } else { BALANCED_LAG_DEG };
                Some([0, 1, 2].map(|n| match on.has(n) {
                    true => Sine { rms: volt, lag_deg: turn[n] - jump },
                    false => Sine { rms: load.volt, lag_deg: turn[n] },
                }))
            }
        };
        let hertz = match &point.frequency {
            None => None,
            Some(frequency) => {
                let hertz = self.hertz(frequency)?;
                words.push(format!("{hertz} Hz"));
                Some(hertz)
            }
        };
        Some((voltage, hertz, words.join(", ")))
    }

    fn waveform(&self, wave: &Wave, load: &LoadPoint) -> Option<Waveform> {
        let on = self.phases(wave.phases.as_ref())?;
        if !wave.current.is_none() && load.ampere <= 0.0 {
            let finding = Finding::error("no-power", &wave.span, "a current that does not flow has no harmonics");
            self.findings.push(finding.label("apply a load with current before this step"));
            return None;
        }
        let of = |distortion: &Distortion, has: &dyn Fn(usize) -> bool| {
            [0, 1, 2].map(|n| if has(n) { distortion.clone() } else { Distortion::default() })
        };
        let voltage = of(&wave.voltage, &|n| on.has(n));
        Some(Waveform { voltage, current: of(&wave.current, &|n| on.has(n) && load.phases.has(n)) })
    }

    fn series(&self, event: &Event, load: &LoadPoint) -> Option<EventSeries> {
        let on = self.phases(event.phases.as_ref())?;
        let span = event.to.as_ref().map_or(&event.span, |to| &to.span);
        let volt = match &event.to {
            None => 0.0,
            Some(to) => self.play_volt(to, &to.span)?,
        };
        if load.volt <= 0.0 {
            let finding = Finding::error("no-power", &event.span, "there is no voltage that could change");
            self.findings.push(finding.label("apply a load with voltage before this step"));
            return None;
        }
        let refuse = |message: String, label: &str| {
            self.findings.push(Finding::error("out-of-range", span, message).label(label));
        };
        let (to, of_un) = (event.to.as_ref().map_or("0 Un", |to| to.words.as_str()), volt / self.plate.un_volt);
        match event.word {
            "dip" if volt >= load.volt => {
                refuse(format!("a dip to {to} is none: {} V stand", load.volt), "for a higher voltage write `swell`");
                return None;
            }
            "swell" if volt <= load.volt => {
                refuse(format!("a swell to {to} is none: {} V stand", load.volt), "for a lower voltage write `dip`");
                return None;
            }
            "interruption" if of_un >= 2.0 * INTERRUPTION_UN => {
                refuse(format!("{to} interrupts nothing"), "below 0.1 Un; for a higher voltage write `dip`");
                return None;
            }
            _ => {}
        }
        let seconds = event.seconds;
        let words = format!("{} to {to} on {on} for {seconds} s", event.word);
        let played = VoltageEvent {
            phases: [0, 1, 2].map(|n| on.has(n)),
            share: volt / load.volt,
            seconds,
            point_on_wave_deg: event.point_on_wave_deg,
            phase_jump_deg: event.phase_jump_deg,
        };
        let every_seconds = event.every_seconds.unwrap_or(seconds + BETWEEN_SECONDS);
        Some(EventSeries { words, event: played, times: event.times, every_seconds })
    }

    fn phases(&self, phases: Option<&Spanned<Option<Phases>>>) -> Option<Phases> {
        let all = Phases::all(self.plate.systems);
        let Some(Spanned { value: Some(on), span, .. }) = phases else { return Some(all) };
        if (0..3).any(|n| on.has(n) && !all.has(n)) {
            let message =
                format!("this happens to {on}, and meter {} has {} phase", self.plate.name, self.plate.systems);
            self.findings.push(Finding::error("meter-mismatch", span, message).label("not on this meter"));
            return None;
        }
        Some(*on)
    }

    fn play_volt(&self, amount: &Spanned<Amount>, span: &Range<usize>) -> Option<f64> {
        let volt = match amount.value {
            Amount::Nominal(factor) => factor * self.plate.un_volt,
            Amount::Absolute(volt) => volt,
            Amount::Current(..) => return None,
        };
        self.within(volt, 0.0..=HIGHEST_UN * self.plate.un_volt, "V", span)?;
        Some(volt)
    }

    fn hertz(&self, frequency: &Spanned<Amount>) -> Option<f64> {
        let hertz = match frequency.value {
            Amount::Nominal(factor) => factor * self.plate.fn_hertz,
            Amount::Absolute(hertz) => hertz,
            Amount::Current(..) => return None,
        };
        self.within(hertz, HERTZ, "Hz", &frequency.span)?;
        Some(hertz)
    }

    /// Voltages that the meters are made for.
    fn sound(&self, voltages: [Sine; 3], span: &Range<usize>) -> Option<[Sine; 3]> {
        let highest = voltages.iter().map(|sine| sine.rms).fold(0.0, f64::max);
        self.within((highest * 1e3).round() / 1e3, 0.0..=HIGHEST_UN * self.plate.un_volt, "V", span)?;
        Some(voltages)
    }

    fn expectation(&self, expected: &Expected) -> Option<PlayExpectation> {
        let (subject, observable, needs) = match &expected.what {
            ExpectedWhat::Event(words) => self.event(words)?,
            ExpectedWhat::Counter { kind, phases, count } => {
                let on = match phases {
                    Some(Spanned { value: Some(_), .. }) => Some(self.phases(phases.as_ref())?),
                    _ => None,
                };
                let phase = on.and_then(|on| (0..3).find(|n| on.has(*n)));
                if let (Some(on), Some(phases)) = (on, phases)
                    && (0..3).filter(|n| on.has(*n)).count() > 1
                {
                    let finding = Finding::error("bad-value", &phases.span, "a counter is of one phase, or of all");
                    self.findings.push(finding.label("write `L1`, or an expectation for each phase"));
                    return None;
                }
                let of = on.map_or(String::new(), |on| format!(" on {on}"));
                let subject = format!("counter of {}{of}", kind.word());
                (subject, Observable::Counter { kind: *kind, phase, count: *count }, vec![kind.feature()])
            }
            ExpectedWhat::Reading { object, value, flagged } => {
                let value = value.map(|value| self.nominal(value, "V", self.plate.un_volt));
                let reading = Observable::Reading { object: object.clone(), value, flagged: *flagged };
                (object.words.clone(), reading, Vec::new())
            }
            ExpectedWhat::Snapshot { kind, object, value } => {
                let value = self.nominal(*value, "V", self.plate.un_volt);
                let subject = format!("snapshot of {}, {}", kind.word(), object.words);
                let needs = vec![Feature::Snapshot, kind.feature()];
                (subject, Observable::Snapshot { kind: *kind, object: object.clone(), value }, needs)
            }
            ExpectedWhat::Harmonic { words, spectrum, orders, value, angle } => {
                let of =
                    if orders.0 == orders.1 { orders.0.to_string() } else { format!("{} to {}", orders.0, orders.1) };
                let (spectrum, orders, value, angle) = (spectrum.clone(), *orders, *value, *angle);
                (format!("{words}, order {of}"), Observable::Harmonic { spectrum, orders, value, angle }, Vec::new())
            }
        };
        Some(PlayExpectation { subject, observable, needs })
    }

    fn event(&self, words: &EventWords) -> Option<(String, Observable, Vec<Feature>)> {
        let phases = match &words.phases {
            None => None,
            given => Some(self.phases(given.as_ref())?),
        };
        let extreme = words.extreme.map(|bounds| self.nominal(bounds, "%", 100.0));
        let subject = match words.kind {
            Some(kind) => kind.word().to_owned(),
            None => "other events".to_owned(),
        };
        let needs = vec![words.kind.unwrap_or(EventKind::VoltageDip).feature()];
        let (kind, count, duration, begin) = (words.kind, words.count, words.duration, words.begin);
        let event = EventExpectation { kind, count, phases, extreme, duration, begin };
        Some((subject, Observable::Event(event), needs))
    }

    /// Bounds in Un or fn in the unit of the record.
    fn nominal(&self, bounds: Bounds, unit: &'static str, un: f64) -> Bounds {
        let times = |factor: f64, unit| Bounds {
            low: bounds.low.map(|low| low * factor),
            high: bounds.high.map(|high| high * factor),
            unit,
        };
        match bounds.unit {
            "Un" => times(un, unit),
            "fn" => times(self.plate.fn_hertz, "Hz"),
            _ => bounds,
        }
    }
}

/// The slowest kind that is expected says how long the meters are left alone before they are asked (s).
fn settling(expect: &[PlayExpectation]) -> f64 {
    let of = |expectation: &PlayExpectation| match &expectation.observable {
        Observable::Event(EventExpectation { kind: Some(kind), .. }) | Observable::Counter { kind, .. } => {
            kind.settling_seconds()
        }
        Observable::Snapshot { .. } => EventKind::VoltageDip.settling_seconds(),
        Observable::Event(_) => EventKind::VoltageDip.settling_seconds(),
        Observable::Reading { .. } | Observable::Harmonic { .. } => 0.0,
    };
    expect.iter().map(of).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use meterbench_record::Nameplate;
    use meterbench_waveform::sequences;

    use crate::finding::Source;
    use crate::{Action, MeterFile, Observable, PlanFile, PlayTest};

    fn plate(phases: u8, has: &str) -> Nameplate {
        let text = format!(
            "meter: M\ntype-number: x\nclass: B\nphases: {phases}\nvoltage: 230 V\nfrequency: 50 Hz\n\
             current: 0.25-5(100) A\nconstant: 1000 imp/kWh\nhas: [{has}]\n"
        );
        MeterFile::read(&Source::new("m", text), "m").unwrap().nameplate
    }

    fn actions(steps: &str, plate: &Nameplate) -> Vec<Action> {
        let plan = PlanFile::read(&Source::new("p", format!("plan: t\nsteps:\n{steps}"))).unwrap();
        plan.resolve(plate, 23.0).unwrap().steps.into_iter().map(|step| step.action).collect()
    }

    fn only(steps: &str) -> PlayTest {
        match actions(steps, &plate(3, "voltage-quality, power-quality")).pop() {
            Some(Action::Play(test)) => *test,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_dip_is_a_share_of_the_voltage_that_stands() {
        let test = only(
            "  - apply: { voltage: 0.9 Un, current: 5 A }\n  - play:\n      dip: { phases: L1, to: 0.45 Un, for: 200 ms, \
             phase-jump: -30 deg, times: 3, every: 5 s }\n      expect:\n        - { event: voltage-dip, phases: L1, \
             count: 3, residual: 0.45 Un ± 0.2 %, duration: 200 ms ± 20 ms }\n",
        );
        let series = test.events.clone().unwrap();
        assert_eq!((test.load.volt, test.load.ampere), (207.0, 5.0));
        assert!((series.event.share - 0.5).abs() < 1e-12);
        assert_eq!((series.event.phases, series.event.phase_jump_deg), ([true, false, false], -30.0));
        assert!((series.seconds() - 10.2).abs() < 1e-9 && (test.after_seconds - 3.0).abs() < 1e-9);
        let Observable::Event(event) = &test.expect[0].observable else { panic!() };
        let residual = event.extreme.unwrap();
        assert!((residual.low.unwrap() - 44.8).abs() < 1e-9 && (residual.high.unwrap() - 45.2).abs() < 1e-9);
        assert_eq!((residual.unit, test.expect[0].measurements()), ("%", 4));
    }

    #[test]
    fn what_stands_is_made_of_components_and_the_wave_stands_with_it() {
        let test = only(
            "  - play:\n      unbalance: { negative: 3 %, angle: 30 deg }\n      frequency: 49 Hz\n      wave: { voltage: { harmonics: \
             { 5: 6 %, 7 to 9: 1 % 180 deg } }, phases: L2 }\n      for: 11 min\n      expect: [{ event: unbalance, u2: 3 % ± 0.15 % }]\n",
        );
        let [stage] = &test.stages[..] else { panic!() };
        let found = sequences(&stage.voltage.unwrap()).unwrap();
        assert!((found.negative_percent - 3.0).abs() < 1e-6 && (found.positive - 230.0).abs() < 1e-6);
        assert_eq!((stage.hertz, stage.seconds, test.after_seconds), (Some(49.0), 660.0, 1200.0));
        let orders: Vec<u16> = stage.waveform.voltage[1].harmonics.iter().map(|h| h.order).collect();
        assert_eq!(orders, [5, 7, 8, 9]);
        assert!(stage.waveform.voltage[0].is_none() && stage.waveform.current[1].is_none());
    }

    #[test]
    fn a_course_goes_from_point_to_point() {
        let test = only(
            "  - play:\n      course:\n        - { voltage: 0.89 Un, phases: L1, for: 1 s }\n        - { voltage: 0.91 Un, frequency: \
             49 Hz, for: 2 s }\n      expect: [{ event: voltage-dip, count: 1 }]\n",
        );
        let volts = |n: usize| test.stages[n].voltage.unwrap().map(|sine| sine.rms);
        assert_eq!(volts(0), [0.89 * 230.0, 230.0, 230.0]);
        assert_eq!((volts(1)[2], test.stages[1].hertz, test.seconds()), (0.91 * 230.0, Some(49.0), 3.0));
    }

    #[test]
    fn what_a_variant_has_not_is_known_by_its_nameplate() {
        let steps = "  - play:\n      dip: { to: 0.4 Un, for: 1 s }\n      expect: [{ event: lost-neutral, count: 0 }, { event: voltage-dip }]\n";
        let missing = |has: &str| {
            let plate = plate(3, has);
            let Some(Action::Play(test)) = actions(steps, &plate).pop() else { panic!() };
            test.expect.iter().map(|e| e.missing(&plate).is_some()).collect::<Vec<_>>()
        };
        assert_eq!(missing("voltage-quality, power-quality"), [true, false]);
        assert_eq!(missing("voltage-quality, grid-events"), [false, false]);
        assert_eq!(missing(""), [true, true]);
        let unbalance = "  - play: { unbalance: { zero: 3 % }, for: 1 s, expect: [{ event: unbalance }] }\n";
        let one = actions(unbalance, &plate(1, "power-quality")).pop();
        assert!(matches!(one, Some(Action::NotApplicable { .. })), "{one:?}");
    }
}
