//! What `explain` announces is what a run takes.

use meterbench::assemble::Changes;
use meterbench_run::expected_seconds;

use crate::{prepare, rehearse};

const SHIPPED: &str = include_str!("../../../../test-plans/mid/class-b-direct-connected.yaml");
const INFLUENCES: &str = "
plan: Influences
standard: EN 50470-3:2006
meter: { class: B }
steps:
  - warm-up: { for: 30 min }
  - accuracy: { sweep: rising-and-falling, at: [{ current: [Itr, 10 Itr, Imax], power-factor: [1, 0.5 ind] }] }
  - influence: { name: Voltage, vary: voltage }
  - influence: { name: Interrupted, vary: interrupted }
  - influence: { name: Temperature, vary: { temperature: [5 °C, 30 °C, 55 °C] }, soak: 1 h, at: [{ current: [10 Itr, Imax] }] }
  - self-heating
  - starting: { direction: [import, export] }
  - no-load
  - meter-constant
";

#[test]
fn the_bench_time_announced_is_that_of_the_run_within_two_percent() {
    for (plan, meter) in [(INFLUENCES, "omnia-3ph"), (INFLUENCES, "omnipower-1ph-import-only"), (SHIPPED, "omnia-3ph")]
    {
        let changes = Changes { meter: Some(meter.to_owned()), ..Changes::default() };
        let (plan, bench) = prepare(plan, "emulated-3ph", &changes).expect("sound");
        let announced = expected_seconds(&plan.plan, &bench.positions[0].meter, true);
        let run = rehearse(&plan, &bench, None).expect("it runs");
        let taken = run.record.bench_ns as f64 / 1e9;
        let percent = 100.0 * (announced / taken - 1.0);
        println!("{meter}: announced {announced:.0} s, taken {taken:.0} s: {percent:+.2} %");
        assert!(percent.abs() < 2.0, "{meter}: {percent}");
    }
}
