//! Is the stated uncertainty honest? Over 300 seeds and every accuracy point, |measured - true| <= U must hold in 93 to
//! 98 % of the cases: less would be a lie, more a waste. The true error is the world's own. A second population of 60
//! meters with ten times the noise shows that the scatter of the meter is in U too (at least 93 %). The shifts by waves of 60 more
//! are held against the true shift; their budget has bounds that an emulated reference does not use up (at least 93 %).
//!
//! `cargo run --release -p meterbench --example coverage` prints the figure and fails outside the band.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use meterbench::assemble::Changes;
use meterbench::rehearsal::{Rehearsal, prepare, rehearse};
use meterbench_record::Measurement;

const SEEDS: u64 = 300;
const NOISY_SEEDS: u64 = 60;
const PLAN: &str = "
plan: Every accuracy point of the class B plan
standard: EN 50470-3:2006
steps:
  - accuracy
";

const WAVE_SEEDS: u64 = 60;
const WAVES: &str = "
plan: Every wave of class B
standard: EN 50470-3:2006
steps:
  - influence: { name: Fifth, vary: fifth-harmonic }
  - influence: { name: Half-wave, vary: dc-and-even-harmonics }
  - influence: { name: Fired, vary: odd-harmonics }
  - influence: { name: Bursts, vary: sub-harmonics }
";

/// What is measured on which bench, and what of it is held against the truth.
struct Population {
    plan: &'static str,
    bench: &'static str,
    quantity: &'static str,
    seeds: u64,
    faults: &'static [&'static str],
}

/// Cases, covered cases, and per point.
#[derive(Default)]
struct Tally {
    rows: Vec<(String, u32, u32)>,
}

impl Tally {
    fn add(&mut self, point: String, covered: bool) {
        let row = match self.rows.iter().position(|(name, ..)| *name == point) {
            Some(n) => &mut self.rows[n],
            None => {
                self.rows.push((point, 0, 0));
                let last = self.rows.len() - 1;
                &mut self.rows[last]
            }
        };
        row.1 += 1;
        row.2 += u32::from(covered);
    }
}

fn main() -> ExitCode {
    let accuracy =
        |seeds, faults| Population { plan: PLAN, bench: "emulated-3ph", quantity: "percentage-error", seeds, faults };
    let healthy = accuracy(SEEDS, &[]).covered();
    let noisy = accuracy(NOISY_SEEDS, &["noise=10"]).covered();
    let waves = Population {
        plan: WAVES,
        bench: "emulated-3ph-waves",
        quantity: "error-shift",
        seeds: WAVE_SEEDS,
        faults: &[],
    };
    let honest = (93.0..=98.0).contains(&healthy) && noisy >= 93.0 && waves.covered() >= 93.0;
    if honest { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Population {
    /// Share of the covered cases [%].
    fn covered(&self) -> f64 {
        let (tally, next) = (Mutex::new(Tally::default()), AtomicU64::new(1));
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed > self.seeds {
                            break;
                        }
                        let faults = self.faults.iter().map(|fault| (*fault).to_owned()).collect();
                        let changes = Changes { seed: Some(seed), faults, ..Changes::default() };
                        let (plan, bench) = prepare(self.plan, self.bench, &changes).expect("a sound plan");
                        let run = rehearse(&plan, &bench, None).expect("the bench works");
                        let mut tally = tally.lock().expect("no panic");
                        for m in run.record.measurements.iter().filter(|m| m.quantity == self.quantity) {
                            let (Some(value), Some(truth)) = (m.value.number(), truth(&run, m)) else { continue };
                            let expanded = m.uncertainty.as_ref().map_or(0.0, |u| u.expanded);
                            tally.add(m.at.to_string(), (value - truth).abs() <= expanded);
                        }
                    }
                });
            }
        });
        let tally = tally.into_inner().expect("no panic");
        let (mut cases, mut covered) = (0, 0);
        for (point, of, inside) in &tally.rows {
            println!("{point:<32} {inside:>4} of {of:>4}");
            cases += of;
            covered += inside;
        }
        let share = 100.0 * f64::from(covered) / f64::from(cases.max(1));
        let what = match self.faults {
            [] if self.quantity == "error-shift" => "shifts by waves".to_owned(),
            [] => "healthy meters".to_owned(),
            faults => faults.join(", "),
        };
        let (seeds, wanted) = (self.seeds, if self.seeds == SEEDS { "93 to 98 %" } else { "at least 93 %" });
        println!(
            "{what}: |measured - true| <= U in {share:.2} % of {cases} cases over {seeds} seeds (wanted: {wanted})\n"
        );
        share
    }
}

/// The true error of the meter at this measurement; of a shift, the change against the true error at the same sines.
fn truth(run: &Rehearsal, measurement: &Measurement) -> Option<f64> {
    let now = run.true_percent(measurement)?;
    if measurement.quantity != "error-shift" {
        return Some(now);
    }
    let is_base = |m: &&Measurement| {
        m.step == measurement.step && m.at.same_base(&measurement.at) && m.at.conditions().is_empty()
    };
    Some(now - run.true_percent(run.record.measurements.iter().find(is_base)?)?)
}
