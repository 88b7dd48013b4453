//! Is the stated uncertainty honest? Over 300 seeds and every accuracy point, |measured - true| <= U must hold in 93 to
//! 98 % of the cases: less would be a lie, more a waste. The true error is the world's own. A second population of 60
//! meters with ten times the noise shows that the scatter of the meter is in U too (at least 93 %).
//!
//! `cargo run --release -p meterbench --example coverage` prints the figure and fails outside the band.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use meterbench::assemble::Changes;
use meterbench::rehearsal::{prepare, rehearse};

const SEEDS: u64 = 300;
const NOISY_SEEDS: u64 = 60;
const PLAN: &str = "
plan: Every accuracy point of the class B plan
standard: EN 50470-3:2006
steps:
  - accuracy
";

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
    let healthy = population(SEEDS, &[]);
    let noisy = population(NOISY_SEEDS, &["noise=10".to_owned()]);
    let honest = (93.0..=98.0).contains(&healthy) && noisy >= 93.0;
    if honest { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Share of the covered cases [%].
fn population(seeds: u64, faults: &[String]) -> f64 {
    let (tally, next) = (Mutex::new(Tally::default()), AtomicU64::new(1));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > seeds {
                        break;
                    }
                    let changes = Changes { seed: Some(seed), faults: faults.to_vec(), ..Changes::default() };
                    let (plan, bench) = prepare(PLAN, "emulated-3ph", &changes).expect("a sound plan");
                    let run = rehearse(&plan, &bench, None).expect("the bench works");
                    let mut tally = tally.lock().expect("no panic");
                    for m in &run.record.measurements {
                        let (Some(value), Some(truth)) = (m.value.number(), run.true_percent(m)) else { continue };
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
        println!("{point:<22} {inside:>4} of {of:>4}");
        cases += of;
        covered += inside;
    }
    let share = 100.0 * f64::from(covered) / f64::from(cases.max(1));
    let what = if faults.is_empty() { "healthy meters".to_owned() } else { faults.join(", ") };
    println!(
        "{what}: |measured - true| <= U in {share:.2} % of {cases} cases over {seeds} seeds (wanted: 93 to 98 %)\n"
    );
    share
}
