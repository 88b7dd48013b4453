//! Influence quantities, self-heating and the composite error: what departs from the reference conditions, and by how much.

use meterbench_record::{Class, Limit, LoadPoint, Phases, Switched};
use meterbench_standards::{Influence, InfluenceLimit, Judged, Span};

use super::{Action, Placed, Purpose, ResolvedStep, Resolver, TestPoint, impulses, plan_limit, same_load};
use crate::finding::Finding;
use crate::quantity::Amount;
use crate::step::{Block, Spanned, Step, StepLimit, Varied, Vary};

/// One influence quantity, away from the reference conditions and back.
#[derive(Debug, Clone)]
pub struct InfluenceTest {
    pub influence: Influence,
    /// The loads at reference conditions: a shift is taken against the error there.
    pub base: Vec<TestPoint>,
    pub variations: Vec<Variation>,
    /// Limit of the change per kelvin, by load; temperature only.
    pub per_kelvin: Vec<Option<Limit>>,
    pub readings: u64,
    /// Time at a temperature before anything is measured (s); temperature only.
    pub soak_seconds: f64,
    /// How long a current is switched on and off (s); fast load variation only.
    pub switched_seconds: f64,
}

/// One value of the influence quantity.
#[derive(Debug, Clone)]
pub struct Variation {
    /// Multiples of the nominal, or °C; zero for an influence without a number.
    pub value: f64,
    /// The loads of the base at this value.
    pub points: Vec<VariedPoint>,
}

/// A load away from the reference conditions.
#[derive(Debug, Clone)]
pub struct VariedPoint {
    /// Its place in the base.
    pub base: usize,
    pub load: LoadPoint,
    pub limit: Option<InfluenceLimit>,
    /// Impulses per reading.
    pub impulses: u64,
}

/// A load that heats the meter.
#[derive(Debug, Clone)]
pub struct HeatingPoint {
    pub point: TestPoint,
    pub limit: Option<Limit>,
}

/// A load in a range of temperature.
#[derive(Debug, Clone)]
pub struct CompositePoint {
    pub load: LoadPoint,
    /// °C
    pub range: Span,
    pub limit: Limit,
}

/// Time at a temperature where the plan names none (s).
const SOAK_SECONDS: f64 = 2.0 * 3600.0;
/// Rated ranges, whose shifts enter the composite error (MID Annex V), in multiples of the nominal.
const RATED_VOLTAGE: Span = Span { from: 0.9, to: 1.1, open: false };
const RATED_FREQUENCY: Span = Span { from: 0.98, to: 1.02, open: false };

impl Resolver<'_> {
    pub(super) fn influence(
        &self,
        step: &Step,
        vary: &Vary,
        at: Option<&[Block]>,
        readings: u64,
        (soak_seconds, switched_seconds): (Option<f64>, Option<f64>),
    ) -> Option<Action> {
        let influence = vary.influence;
        let polyphase = matches!(influence, Influence::PhaseSequence | Influence::Interrupted | Influence::Phases);
        if polyphase && self.plate.systems == 1 {
            let why = format!("a single-phase meter has no {}", polyphase_words(influence));
            return Some(Action::NotApplicable {
                quantity: "error-shift",
                unit: "%",
                load: self.reference_conditions(),
                why,
            });
        }
        self.check_same_points(step, vary, at)?;
        let placed = self.base(step, influence, at)?;
        let values = if vary.values.is_empty() { self.own_values(step, vary)? } else { vary.values.clone() };
        let variation = |value| self.variation(step, influence, value, &placed);
        let mut variations = values.iter().map(variation).collect::<Option<Vec<_>>>()?;
        self.check_variations(&placed, &values, &variations)?;
        let per_kelvin = placed
            .iter()
            .map(|p| self.plan.standard?.influence_limit(self.plate, influence, 0.0, &p.load))
            .map(|limit| limit.filter(|l| l.of == Judged::PerKelvin && step.limit.is_none()).map(|l| l.limit))
            .collect();
        let base: Vec<TestPoint> = placed
            .iter()
            .enumerate()
            .map(|(n, p)| {
                let limits =
                    variations.iter().flat_map(|v| &v.points).filter(|v| v.base == n).filter_map(|v| v.limit.as_ref());
                let tightest =
                    limits.filter(|l| l.of == Judged::Shift).filter_map(|l| l.limit.high).fold(1.0, f64::min);
                TestPoint { load: p.load.clone(), limit: None, impulses: impulses(self.plate, &p.load, tightest) }
            })
            .collect();
        for point in variations.iter_mut().flat_map(|v| &mut v.points) {
            let of_wave = if point.load.wave.is_some() { self.impulses_of_wave(point) } else { 1 };
            point.impulses = of_wave.max(base[point.base].impulses);
        }
        let soak_seconds = if influence == Influence::Temperature { soak_seconds.unwrap_or(SOAK_SECONDS) } else { 0.0 };
        let switched_seconds = if influence == Influence::FastLoadVariation {
            switched_seconds.map_or_else(|| self.own_variations(step).map(|(_, seconds)| seconds), Some)?
        } else {
            0.0
        };
        let test = InfluenceTest { influence, base, variations, per_kelvin, readings, soak_seconds, switched_seconds };
        Some(Action::Influence(test))
    }

    /// Loads at reference conditions, by the plan or by the standard.
    fn base(&self, step: &Step, influence: Influence, at: Option<&[Block]>) -> Option<Vec<Placed>> {
        let placed: Vec<Placed> = match at {
            Some(blocks) => blocks.iter().flat_map(|block| self.expand(block)).collect(),
            None => {
                let standard = self.standard(step)?;
                let Some((_, points)) = standard.influence_points(self.plate, influence) else {
                    let message = format!("{} has no test of {}", standard.citation(), influence.name());
                    let finding = Finding::error("no-limit", &step.span, message);
                    self.findings.push(finding.label("give `at` and values of your own, with `limit`"));
                    return None;
                };
                self.place(points, step)
            }
        };
        self.check_duplicates(&placed);
        placed.iter().for_each(|point| self.check_power(&point.load, &point.span));
        let all = Phases::all(self.plate.systems);
        if let Some(single) = placed.iter().find(|p| influence == Influence::Phases && p.load.phases != all) {
            let finding =
                Finding::error("bad-value", &single.span, format!("{} does not load all phases", single.load));
            self.findings.push(finding.label("`vary: phases` compares one phase with all of them"));
        }
        if let Some(away) = placed.iter().find(|p| !p.load.conditions().is_empty()) {
            let message = format!("{} is not at reference conditions", away.load);
            let finding = Finding::error("bad-value", &away.span, message);
            self.findings.push(finding.label("what departs from them stands under `vary`"));
        }
        Some(placed)
    }

    /// The standard's own values of the influence quantity.
    fn own_values(&self, step: &Step, vary: &Vary) -> Option<Vec<Spanned<Varied>>> {
        let spanned = |value, words: String| Spanned { value, span: vary.span.clone(), words };
        let named = |phases: Phases| spanned(Varied::Phases(phases), phases.to_string());
        let all_of = |amount: fn(f64) -> Amount| -> Option<Vec<Spanned<Varied>>> {
            let own = self.standard(step)?.influence_points(self.plate, vary.influence);
            let Some((values, _)) = own.filter(|(values, _)| !values.is_empty()) else {
                let message = format!("the standard names no values of {}", vary.influence.name());
                let finding = Finding::error("no-limit", &vary.span, message);
                self.findings.push(finding.label("write them: `vary: { voltage: [0.9 Un, 1.1 Un] }`"));
                return None;
            };
            let unit = vary.influence.nominal();
            Some(values.iter().map(|&v| spanned(Varied::Amount(amount(v)), format!("{v}{unit}"))).collect())
        };
        match vary.influence {
            Influence::Voltage | Influence::Frequency => all_of(Amount::Nominal),
            Influence::Temperature => all_of(Amount::Absolute),
            Influence::PhaseSequence => Some(vec![spanned(Varied::Reversed, "reversed".into())]),
            Influence::Interrupted => Some(Phases::EACH.into_iter().chain(Phases::PAIRS).map(named).collect()),
            Influence::Phases => Some(Phases::EACH.into_iter().map(named).collect()),
            Influence::FastLoadVariation => {
                let (times, _) = self.own_variations(step)?;
                let switched = |&(on_seconds, off_seconds): &(f64, f64)| Switched { on_seconds, off_seconds };
                let value = |times| spanned(Varied::Switched(switched(times)), switched(times).to_string());
                Some(times.iter().map(value).collect())
            }
            wave if wave.is_wave() => Some(vec![spanned(Varied::Wave(wave), wave.name().to_owned())]),
            _ => None,
        }
    }

    fn variation(
        &self,
        step: &Step,
        influence: Influence,
        value: &Spanned<Varied>,
        base: &[Placed],
    ) -> Option<Variation> {
        let mut points = Vec::new();
        let mut number = 0.0;
        for (n, placed) in base.iter().enumerate() {
            let mut load = placed.load.clone();
            number = self.vary(&mut load, influence, value)?;
            if load.power() < 1e-3 {
                continue; // the only loaded phase is the one without voltage
            }
            let limit = match step.limit {
                Some(StepLimit::None) => None,
                Some(StepLimit::Percent(percent)) => Some(plan_shift(percent)),
                None => self.shift_limit(step, quantity(influence, value), number, (&load, placed), value)?,
            };
            points.push(VariedPoint { base: n, load, limit, impulses: 1 });
        }
        if points.is_empty() {
            let finding =
                Finding::error("no-power", &value.span, "there is no power at this value: nothing to measure");
            self.findings.push(finding.label("remove it"));
            return None;
        }
        Some(Variation { value: number, points })
    }

    /// The limit of a shift. The outer `None` is a mistake: a point that nothing limits must say so.
    #[expect(clippy::option_option, reason = "a mistake and an absence are two things")]
    fn shift_limit(
        &self,
        step: &Step,
        influence: Influence,
        number: f64,
        (load, base): (&LoadPoint, &Placed),
        value: &Spanned<Varied>,
    ) -> Option<Option<InfluenceLimit>> {
        let standard = self.standard(step)?;
        // The row of one phase loaded is found by the loaded phase, all others by the base.
        let at = if influence == Influence::Phases { load } else { &base.load };
        let found = standard.influence_limit(self.plate, influence, number, at);
        // A shift by temperature has no limit of its own: it is limited per kelvin, or enters the composite error.
        let enters_composite =
            || standard.mpe_ranges().iter().any(|&range| standard.mpe(self.plate, range, &base.load).is_some());
        if found.is_none() && !(influence == Influence::Temperature && enters_composite()) {
            let message =
                format!("{} has no limit for {load} as an influence of {}", standard.citation(), influence.name());
            let finding = Finding::error("no-limit", &value.span, message).label("no limit here");
            self.findings.push(finding.help(
                "choose another value or load, or give `limit:` for this step (`limit: none` measures without a verdict)",
            ));
            return None;
        }
        Some(found.filter(|l| l.of != Judged::PerKelvin))
    }

    /// Every point once, and none at reference conditions: there it is the base.
    fn check_variations(&self, base: &[Placed], values: &[Spanned<Varied>], variations: &[Variation]) -> Option<()> {
        let mut known: Vec<&LoadPoint> = base.iter().map(|p| &p.load).collect();
        for (value, variation) in values.iter().zip(variations) {
            for point in &variation.points {
                let load = &point.load;
                // Temperatures so close that nothing per kelvin can be said are one.
                let same_climate = |other: &LoadPoint| (other.temperature_c - load.temperature_c).abs() < 2.0;
                let same_voltages = |other: &LoadPoint| {
                    other.interrupted == load.interrupted && other.reversed_sequence == load.reversed_sequence
                };
                let same_waves = |other: &LoadPoint| other.wave == load.wave && other.switched == load.switched;
                let same = |other: &&&LoadPoint| {
                    same_load(other, load) && same_climate(other) && same_voltages(other) && same_waves(other)
                };
                if known.iter().any(|other| same(&other)) {
                    let message = format!("{load} stands in this step already, or is the reference itself");
                    let finding = Finding::error("duplicate-point", &value.span, message);
                    self.findings.push(finding.label(
                        "each value once, away from the reference conditions (temperatures at least 2 K apart)",
                    ));
                    return None;
                }
                known.push(load);
            }
        }
        Some(())
    }

    /// Applies one value to a load; its number.
    fn vary(&self, load: &mut LoadPoint, influence: Influence, value: &Spanned<Varied>) -> Option<f64> {
        match (influence, value.value) {
            (Influence::Voltage, Varied::Amount(amount)) => {
                self.set_voltage(load, &respan(amount, value))?;
                Some(load.volt / self.plate.un_volt)
            }
            (Influence::Frequency, Varied::Amount(amount)) => {
                self.set_frequency(load, &respan(amount, value))?;
                Some(load.frequency_hz / self.plate.fn_hertz)
            }
            (_, Varied::Amount(Amount::Absolute(celsius))) => {
                load.temperature_c = celsius;
                load.temperature = Some(format!("{celsius} °C"));
                Some(celsius)
            }
            (Influence::Phases, Varied::Phases(phases)) => {
                load.phases = phases;
                Some(0.0)
            }
            (_, Varied::Phases(phases)) => {
                if phases == Phases::L123 {
                    let finding = Finding::error("bad-value", &value.span, "without any voltage no meter measures");
                    self.findings.push(finding.label("one or two phases are interrupted"));
                    return None;
                }
                load.interrupted = Some(phases);
                Some(0.0)
            }
            (_, Varied::Reversed) => {
                load.reversed_sequence = true;
                Some(0.0)
            }
            (_, Varied::Wave(wave)) => {
                load.wave = Some(self.named(wave)?);
                self.check_wave(load, value)?;
                Some(0.0)
            }
            (_, Varied::Switched(switched)) => {
                load.switched = Some(switched);
                Some(0.0)
            }
            (_, Varied::Amount(_)) => None,
        }
    }

    pub(super) fn self_heating(&self, step: &Step, at: Option<&[Block]>) -> Option<Action> {
        let placed = self.base(step, Influence::SelfHeating, at)?;
        let heating = |placed: Placed| {
            let limit = match step.limit {
                Some(StepLimit::None) => None,
                Some(StepLimit::Percent(percent)) => Some(plan_shift(percent).limit),
                None => {
                    let standard = self.standard(step)?;
                    let found = standard.influence_limit(self.plate, Influence::SelfHeating, 0.0, &placed.load);
                    if found.is_none() {
                        let message =
                            format!("{} has no limit of self-heating at {}", standard.citation(), placed.load);
                        let finding = Finding::error("no-limit", &placed.span, message).label("no limit here");
                        self.findings
                            .push(finding.help("self-heating is tested at Imax; or give `limit:` for this step"));
                        return None;
                    }
                    found.map(|l| l.limit)
                }
            };
            let impulses = impulses(self.plate, &placed.load, 1.0);
            Some(HeatingPoint { point: TestPoint { load: placed.load, limit: None, impulses }, limit })
        };
        let points = placed.into_iter().map(heating).collect::<Option<Vec<_>>>()?;
        // Voltage alone first: one hour for class A and 2, two for the others.
        let hours = if matches!(self.plate.class, Class::A | Class::Two) { 1.0 } else { 2.0 };
        Some(Action::SelfHeating { points, warm_up_seconds: hours * 3600.0 })
    }

    /// Every load that all three influences were tested at, in every range of temperature that was tested to its ends.
    pub(super) fn composite(&self, step: &Step, before: &[ResolvedStep]) -> Option<Action> {
        let standard = self.standard(step)?;
        let refuse = |code, message: String, label: String| {
            self.findings.push(Finding::error(code, &step.span, message).label(label));
        };
        let ranges = standard.mpe_ranges();
        if ranges.is_empty() {
            let message = format!("{} has no MPE, which a composite error is held against", standard.citation());
            refuse("no-limit", message, "remove this step".to_owned());
            return None;
        }
        let tests = |wanted: Influence| {
            let test = |step: &ResolvedStep| match &step.action {
                Action::Influence(test) if test.influence == wanted => Some(test.clone()),
                _ => None,
            };
            before.iter().filter_map(test).collect::<Vec<InfluenceTest>>()
        };
        let (voltage, frequency) = (tests(Influence::Voltage), tests(Influence::Frequency));
        let temperature = tests(Influence::Temperature);
        let mut complete = true;
        for (found, name) in [(&voltage, "voltage"), (&frequency, "frequency"), (&temperature, "temperature")] {
            if found.is_empty() {
                complete = false;
                let message = format!("a composite error needs the influence of {name}, which no step before it tests");
                refuse("missing-step", message, format!("add `- influence: {{ vary: {name} }}` before it"));
            }
        }
        // A value counts as reached at a load if some step tests it there.
        let reached = |tests: &[InfluenceTest], load: &LoadPoint, value: f64| {
            let at = |t: &InfluenceTest| t.base.iter().any(|point| point.load.same_base(load));
            tests.iter().any(|t| at(t) && t.variations.iter().any(|v| (v.value - value).abs() < 1e-6))
        };
        let both_ends = |tests: &[InfluenceTest], load: &LoadPoint, ends: Span| {
            reached(tests, load, ends.from) && reached(tests, load, ends.to)
        };
        let mut points: Vec<CompositePoint> = Vec::new();
        let loads = temperature.iter().flat_map(|test| &test.base).map(|point| &point.load);
        for load in loads {
            if !both_ends(&voltage, load, RATED_VOLTAGE) || !both_ends(&frequency, load, RATED_FREQUENCY) {
                continue;
            }
            for &range in ranges.iter().filter(|range| both_ends(&temperature, load, **range)) {
                let known = points.iter().any(|p| p.range == range && p.load.same_base(load));
                if let Some(limit) = standard.mpe(self.plate, range, load).filter(|_| !known) {
                    points.push(CompositePoint { load: load.clone(), range, limit });
                }
            }
        }
        // A temperature that no range reaches to its ends would be measured and never judged.
        let judged = |celsius: f64| points.iter().any(|point| point.range.holds(celsius));
        let left = temperature.iter().flat_map(|t| &t.variations).map(|v| v.value).find(|&celsius| !judged(celsius));
        if let Some(celsius) = left.filter(|_| !points.is_empty()) {
            let message = format!(
                "{celsius} °C enters no composite error: no range of temperature around it is tested to both ends"
            );
            let ends: Vec<String> = ranges.iter().map(Span::to_string).collect();
            refuse("missing-step", message, format!("the ranges are {} °C", ends.join(", ")));
        }
        if points.is_empty() && complete {
            let message =
                "no load is tested at 0.9 and 1.1 Un, 0.98 and 1.02 fn and both ends of a range of temperature";
            refuse("missing-step", message.to_owned(), "give the three `influence` steps the same `at`".to_owned());
        }
        (!points.is_empty()).then_some(Action::Composite { points })
    }
}

/// The influence quantity of a value: of several waves each its own.
fn quantity(influence: Influence, value: &Spanned<Varied>) -> Influence {
    if let Varied::Wave(wave) = value.value { wave } else { influence }
}

fn respan(amount: Amount, value: &Spanned<Varied>) -> Spanned<Amount> {
    Spanned { value: amount, span: value.span.clone(), words: value.words.clone() }
}

fn plan_shift(percent: f64) -> InfluenceLimit {
    InfluenceLimit { of: Judged::Shift, limit: plan_limit(percent, Purpose::Error) }
}

fn polyphase_words(influence: Influence) -> &'static str {
    match influence {
        Influence::PhaseSequence => "phase sequence",
        Influence::Interrupted => "other phase whose voltage could be interrupted",
        _ => "other phase that could stay without load",
    }
}
