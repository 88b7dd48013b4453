//! Waves in place of sines, and a current that is switched: which they are on this meter, and how long a reading must be.

use meterbench_record::LoadPoint;
use meterbench_standards::{Influence, InfluenceLimit, Standard};
use meterbench_waveform::NamedWave;

use super::{ASSUMED_LIMIT_PERCENT, JITTER_SECONDS, Resolver, VariedPoint, impulses};
use crate::finding::Finding;
use crate::step::{Block, Spanned, Step, Varied, Vary};

/// RMS value of a current that a meter is tested with, in multiples of Imax.
const HIGHEST_RMS: f64 = 1.2;

impl Resolver<'_> {
    /// The wave of an influence quantity, as the standard of the plan cuts it from a sine.
    pub(super) fn named(&self, influence: Influence) -> Option<NamedWave> {
        let equal_power = self.plan.standard.is_some_and(|standard| standard.equal_power(influence));
        Some(match influence {
            Influence::FifthHarmonic => NamedWave::FifthHarmonic,
            Influence::DcAndEvenHarmonics => NamedWave::HalfWave,
            Influence::OddHarmonics => NamedWave::PhaseFired { equal_power },
            Influence::SubHarmonics => NamedWave::BurstFired { equal_power },
            Influence::Quadriform => NamedWave::Quadriform,
            Influence::Peaked => NamedWave::Peaked,
            _ => return None,
        })
    }

    /// Several waves without `at` must be tested at the same points of the standard.
    pub(super) fn check_same_points(&self, step: &Step, vary: &Vary, at: Option<&[Block]>) -> Option<()> {
        let waves = vary.values.iter().filter_map(|value| match value.value {
            Varied::Wave(wave) => Some((wave, value)),
            _ => None,
        });
        if at.is_some() || vary.values.len() < 2 {
            return Some(());
        }
        for (wave, value) in waves {
            let standard = self.standard(step)?;
            let points = |influence| standard.influence_points(self.plate, influence).map(|(_, points)| points);
            let Some(own) = points(wave) else {
                let message = format!("{} has no test of {}", standard.citation(), wave.name());
                let finding = Finding::error("no-limit", &value.span, message);
                self.findings.push(finding.label("remove it, or give `at` and `limit`"));
                return None;
            };
            if points(vary.influence).is_some_and(|first| first != own) {
                let (citation, first) = (standard.citation(), vary.influence.name());
                let message = format!("{citation} tests {} at other points than {first}", wave.name());
                let finding = Finding::error("bad-value", &value.span, message);
                self.findings.push(finding.label("write a step of its own for it, or give `at`"));
                return None;
            }
        }
        Some(())
    }

    /// A wave may be more for a meter than the sine it is said of.
    pub(super) fn check_wave(&self, load: &LoadPoint, value: &Spanned<Varied>) -> Option<()> {
        let rms = load.wave.map_or(1.0, NamedWave::current_rms) * load.ampere;
        let most = HIGHEST_RMS * self.plate.imax_ampere;
        if rms <= most * (1.0 + 1e-9) {
            return Some(());
        }
        let message = format!("{load} is {rms:.1} A RMS, beyond what meter {} is tested with", self.plate.name);
        let label = format!("at most {most} A RMS; the current of a point is that of its sine");
        self.findings.push(Finding::error("out-of-range", &value.span, message).label(label));
        None
    }

    /// Times on and off, and how long each lasts (s), by the standard.
    pub(super) fn own_variations(&self, step: &Step) -> Option<(&'static [(f64, f64)], f64)> {
        let standard: &'static Standard = self.standard(step)?;
        let own = standard.load_variations();
        if own.is_none() {
            let message = format!("{} has no test of fast-load-variation", standard.citation());
            let label = "give `for:` and times of your own: `vary: { fast-load-variation: [10 s on 10 s off] }`";
            self.findings.push(Finding::error("no-limit", &step.span, message).label(label));
        }
        own
    }

    /// Impulses of one reading: bursts are cut at its ends, which must stay below a tenth of the limit as the jitter must.
    pub(super) fn impulses_of_wave(&self, point: &VariedPoint) -> u64 {
        let limit = |l: &InfluenceLimit| l.limit.high;
        let percent = point.limit.as_ref().and_then(limit).unwrap_or(ASSUMED_LIMIT_PERCENT);
        let burst = point.load.wave.and_then(|wave| wave.burst_seconds(point.load.frequency_hz));
        let longer = burst.map_or(1.0, |seconds| (seconds / JITTER_SECONDS).max(1.0));
        impulses(self.plate, &point.load, percent / longer)
    }
}

#[cfg(test)]
mod tests {
    use meterbench_record::{Class, Nameplate};

    use crate::finding::Source;
    use crate::plan_file::PlanFile;
    use crate::resolve::{Action, InfluenceTest};

    fn plate(class: Class) -> Nameplate {
        Nameplate {
            name: "test".into(),
            title: "test".into(),
            type_number: String::new(),
            class,
            reactive_class: None,
            export: true,
            systems: 3,
            un_volt: 230.0,
            fn_hertz: 50.0,
            imin_ampere: 0.25,
            iref_ampere: 5.0,
            imax_ampere: 60.0,
            constant_per_kwh: 1000,
            pulse_width_ms: 30.0,
            has: Vec::new(),
        }
    }

    fn tests(standard: &str, class: Class, vary: &str) -> InfluenceTest {
        let text = format!("plan: t\nstandard: {standard}\nsteps:\n  - influence: {{ vary: {vary} }}\n");
        let plan = PlanFile::read(&Source::new("plan.yaml", text)).expect("a plan");
        assert!(plan.needs_waves());
        let resolved = plan.resolve(&plate(class), 23.0).expect("it resolves");
        match resolved.steps.into_iter().next().expect("a step").action {
            Action::Influence(test) => test,
            other => panic!("{other:?}"),
        }
    }

    fn points(test: &InfluenceTest) -> Vec<String> {
        test.variations.iter().flat_map(|v| &v.points).map(|p| p.load.to_string()).collect()
    }

    #[test]
    fn a_wave_stands_at_the_point_of_the_standard() {
        let half = tests("EN 50470-3:2006", Class::B, "dc-and-even-harmonics");
        assert_eq!((half.base[0].load.to_string(), half.base[0].load.ampere), ("0.5 Imax 1".to_owned(), 30.0));
        assert_eq!(points(&half), ["0.5 Imax 1 dc-and-even-harmonics"]);
        let limit = half.variations[0].points[0].limit.as_ref().expect("a limit");
        assert_eq!(limit.limit.high, Some(3.0));
        // IEC and EN cut bursts from this current, R46 from twice of it.
        assert_eq!(points(&tests("EN 50470-3:2006", Class::B, "sub-harmonics")), ["0.5 Iref 1 sub-harmonics"]);
        let r46 = tests("OIML R46:2012", Class::B, "sub-harmonics");
        assert_eq!(points(&r46), ["10 Itr 1 sub-harmonics of equal power"]);
    }

    #[test]
    fn several_waves_share_their_sines() {
        let both = tests("OIML R46:2012", Class::B, "[quadriform, peaked]");
        assert_eq!(both.base.len(), 1);
        assert_eq!(points(&both), ["10 Itr 1 quadriform", "10 Itr 1 peaked"]);
    }

    #[test]
    fn bursts_take_longer_than_the_jitter_of_a_cycle_needs() {
        let burst = tests("EN 50470-3:2006", Class::B, "sub-harmonics");
        let (base, varied) = (&burst.base[0], &burst.variations[0].points[0]);
        let seconds = |power: f64, impulses: u64| impulses as f64 * plate(Class::B).seconds_per_impulse(power);
        assert!(seconds(base.load.power(), base.impulses) >= 20.0, "20 ms below a tenth of 1 %");
        assert!(seconds(varied.load.power(), varied.impulses) >= 26.6, "80 ms below a tenth of 3 %");
        assert!((varied.load.power() / base.load.power() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_current_is_switched_by_the_times_of_the_edition() {
        let fast = tests("EN 50470-3:2022", Class::B, "fast-load-variation");
        let words = |on: &str| format!("Iref 1 switched {on} off");
        assert_eq!(points(&fast), [words("10 s on 10 s"), words("5 s on 5 s"), words("5 s on 0.5 s")]);
        assert_eq!(fast.switched_seconds, 14_400.0);
        let own = tests("EN 50470-3:2022", Class::B, "{ fast-load-variation: [200 ms on 1 min off] }, for: 1 h");
        assert_eq!((points(&own), own.switched_seconds), (vec![words("0.2 s on 60 s")], 3600.0));
    }
}
