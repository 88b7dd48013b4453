//! The same digits on every processor. The program `quality` of `firmware/targets/qemu-f405` finds this hash on a Cortex-M4F.

use meterbench_metrology::Analysis;

#[path = "stimulus.rs"]
mod stimulus;

#[test]
fn every_digit_is_as_on_every_other_processor() {
    let (hash, halves, windows) = stimulus::digits(&mut Box::new(Analysis::new()), |sample| sample());
    println!("{halves} half cycles, {windows} windows: {hash:#018x}");
    assert!(halves > 280 && windows > 12);
    assert_eq!(hash, stimulus::HASH, "{hash:#018x}");
}
