use super::*;
use crate::reference::Reference;

fn ask(instrument: &mut Com5003, line: &str) -> String {
    let mut world = World::new(Reference::drawn(1, 0.02), Vec::new(), 23.0, crate::world::Engine::Auto);
    instrument.receive(1, line, &mut world).text
}

fn instrument() -> Com5003 {
    Com5003::new("050012345", vec![1, 2], 3)
}

#[test]
fn common_commands_answer_as_the_instrument_does() {
    let mut i = instrument();
    assert_eq!(ask(&mut i, "*IDN?"), "ZERA GmbH Koenigswinter, COM5003, 050012345, emu-1.0");
    assert_eq!(ask(&mut i, "*idn?|*OPC?"), "ZERA GmbH Koenigswinter, COM5003, 050012345, emu-1.0\n+1");
    assert_eq!(ask(&mut i, "*TST?"), "1");
    assert_eq!(ask(&mut i, "*ESE 36;|*ESE?"), "+36");
    assert_eq!(ask(&mut i, "SYST:ERR?"), "+0,No error");
}

#[test]
fn a_failing_query_answers_nothing_and_queues_an_error() {
    let mut i = instrument();
    #[rustfmt::skip]
    let table = [
        ("NONSENSE?",                        "-100,Command error"),
        ("SENS:RNG1:UL1:RANG 240V",          "-100,Command error"),
        ("SENS:RNG1:UL1:RANG 241V;",         "-120,Numeric data error"),
        ("*CLS?",                            "-400,Query error"),
        ("CALC:EC09:0001:STATUS?",           "-100,Command error"),
        ("CALC:EC01:0001:MRATE 0;",          "-120,Numeric data error"),
        ("CALC:EC01:0001:REFCONSTANT 5;",    "-100,Command error"),
        ("CALC:EC01:0001:REFSOURCE S;",      "-120,Numeric data error"),
        ("*OPC 1;",                          "-100,Command error"),
    ];
    for (bad, error) in table {
        assert_eq!(ask(&mut i, bad), "", "{bad}");
        assert_eq!(ask(&mut i, "*STB?"), "+4", "{bad}");
        assert_eq!(ask(&mut i, "SYSTem:ERRor?"), error, "{bad}");
        assert_eq!(ask(&mut i, "*STB?"), "+0", "{bad}");
    }
}

#[test]
fn the_queue_overflows_at_fifty() {
    let mut i = instrument();
    (0..60).for_each(|_| drop(ask(&mut i, "X?")));
    assert_eq!(ask(&mut i, "SYST:ERR:COUN?"), "50");
    assert!(ask(&mut i, "SYST:ERR:ALL?").ends_with(";-350,Queue overflow"));
}

#[test]
fn settings_read_back_and_the_reference_constant_follows_the_range() {
    let mut i = instrument();
    assert_eq!(ask(&mut i, "CONF:POW1:M0CONSTANT?"), "2500000");
    assert_eq!(ask(&mut i, "SENS:RNG1:IL1:RANG 5A;|SENS:RNG1:IL1:RANG?"), "5A");
    assert_eq!(ask(&mut i, "CALC:EC01:0001:REFCONSTANT?"), "1e+08");
    assert_eq!(ask(&mut i, "CALC:EC01:0001:MRATE 25;|CALC:EC01:0001:MRATE?"), "25");
    assert!(ask(&mut i, "SENS:RNG1:UL1:RANG:CAT?").starts_with("480V;240V;"));
}

#[test]
fn an_error_calculator_measures_from_edge_to_edge() {
    let mut i = instrument();
    ask(&mut i, "CALC:EC01:0001:DUTCONSTANT 1000;|CALC:EC01:0001:MRATE 3;|CALC:EC01:0001:START 1;");
    assert_eq!(ask(&mut i, "CALC:EC01:0001:STATUS?"), "1");
    // 3 impulses over exactly 3.03 Wh of reference: the meter is slow by 1/101
    let wh = |_: bool, from: SampleInstant, to: SampleInstant| (to.index() - from.index()) as f64 * 1.01;
    for n in 0..4 {
        i.calculators[0].edge(SampleInstant::new(n, 0), 1e8, wh);
    }
    assert_eq!(ask(&mut i, "CALC:EC01:0001:STATUS?|CALC:EC01:0001:PULSES?"), "4\n4");
    let result: f64 = ask(&mut i, "CALC:EC01:0001:RESULT?").parse().unwrap();
    assert!((result + 100.0 / 101.0).abs() < 1e-3, "{result}");
    assert_eq!(ask(&mut i, "CALC:EC02:0001:STATUS?"), "0");
}

#[test]
fn a_change_of_range_aborts_a_running_measurement() {
    let mut i = instrument();
    ask(&mut i, "CALC:EC01:0001:START 1;");
    ask(&mut i, "SENS:RNG1:IL1:RANG 10A;");
    assert_eq!(ask(&mut i, "CALC:EC01:0001:STATUS?|CALC:EC01:0001:START?"), "8\n0");
}
