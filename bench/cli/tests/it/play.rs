//! `play`: stimuli of the source, and what the meters say of them.

use meterbench::assemble::Changes;
use meterbench::catalogue::Refusal;
use meterbench::rehearsal::prepare;

#[test]
fn a_source_of_sines_alone_is_not_asked_for_waves() {
    let plan =
        "plan: t\nsteps:\n  - play: { dip: { to: 0.4 Un, for: 200 ms }, expect: [{ event: voltage-dip, count: 1 }] }\n";
    match prepare(plan, "emulated-3ph", &Changes::default()) {
        Err(Refusal::Words(text)) => {
            assert!(text.contains("makes sines alone") && text.contains("`emulated-3ph-waves`"), "{text}");
        }
        other => panic!("{:?}", other.err()),
    }
}
