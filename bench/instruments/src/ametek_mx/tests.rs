use meterbench_waveform::{Harmonic, Interharmonic};

use super::*;
use crate::roles::Wave;
use crate::scpi::tests::{answered, commands};

const LIMITS: SourceLimits = SourceLimits { volt: 280.0, ampere: 0.0 };
const STATES: [(&str, &str); 5] =
    [("*OPC?", "1"), ("OUTP?", "1"), ("TRIG:STAT?", "IDLE"), ("TRAC:CAT?", "\"SINUSOID\""), ("MEAS:FREQ?", "50.0")];

fn wave(rms: f64, lag_deg: f64) -> Option<Wave> {
    Some(Wave { rms, lag_deg })
}

fn setting() -> Setting {
    Setting { hertz: 50.0, voltage: [wave(230.0, 0.0), wave(230.0, 120.0), wave(230.0, 240.0)], current: [None; 3] }
}

fn dip(phases: [bool; 3], phase_jump_deg: f64) -> VoltageEvent {
    VoltageEvent { phases, share: 0.4, seconds: 0.2, point_on_wave_deg: 90.0, phase_jump_deg }
}

fn harmonics(parts: &[(u16, f64)]) -> Waveform {
    let mut waveform = Waveform::default();
    waveform.voltage[0].harmonics =
        parts.iter().map(|&(order, percent)| Harmonic { order, percent, angle_deg: 0.0 }).collect();
    waveform
}

#[tokio::test(start_paused = true)]
async fn the_relay_closes_at_no_voltage() {
    let (session, written) = answered(&STATES);
    let mut source = AmetekMx::new(session, LIMITS);
    source.apply(&setting()).await.unwrap();
    let said = commands(&written);
    let place = |text: &str| said.iter().position(|line| line == text).unwrap_or_else(|| panic!("{text}: {said:?}"));
    assert!(place("OUTP 0") < place("VOLT:RANG 300") && place("INST:NSEL 3;:VOLT 0") < place("OUTP 1"));
    assert!(place("OUTP 1") < place("INST:NSEL 1;:VOLT 230.000"));
    assert!(place("INST:NSEL 2;:PHAS -120.000") < place("INST:NSEL 3;:PHAS 120.000"), "a lagging voltage is behind");
    source.apply(&Setting { voltage: [wave(200.0, 0.0), None, wave(230.0, 240.0)], ..setting() }).await.unwrap();
    assert_eq!(commands(&written), ["INST:NSEL 1;:VOLT 200.000", "INST:NSEL 2;:VOLT 0.000"]);
}

#[tokio::test(start_paused = true)]
async fn harmonics_are_a_table_of_one_period() {
    let (session, written) = answered(&STATES);
    let mut source = AmetekMx::new(session, LIMITS);
    source.apply_waveform(&setting(), &harmonics(&[(3, 10.0)])).await.unwrap();
    let said = commands(&written);
    assert!(said.contains(&"TRAC:DEF MB1A".to_owned()) && said.contains(&"INST:NSEL 1;:FUNC MB1A".to_owned()));
    // The source scales to the RMS value of everything: 230 V and a tenth of it.
    assert!(said.contains(&"INST:NSEL 1;:VOLT 231.147".to_owned()), "{said:?}");
    let table = said.iter().find_map(|line| line.strip_prefix("TRAC MB1A,")).unwrap();
    let values: Vec<f64> = table.split(',').map(|value| value.parse().unwrap()).collect();
    assert_eq!((values.len(), values[0]), (1024, 0.0));
    // 1 - 0.1 at a quarter of the period, by the peak.
    let highest = values.iter().copied().fold(0.0, f64::max);
    assert!(
        (highest - 1.0).abs() < 1e-5
            && (values[256] - 0.9 / shape::peak(&harmonics(&[(3, 10.0)]).voltage[0])).abs() < 2e-5
    );
    source.apply(&setting()).await.unwrap();
    assert_eq!(commands(&written), ["INST:NSEL 1;:FUNC SIN", "INST:NSEL 1;:VOLT 230.000"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_is_a_list_that_ends_where_it_began() {
    let (session, written) = answered(&STATES);
    let mut source = AmetekMx::new(session, LIMITS);
    assert!(source.play(&dip([true; 3], 0.0)).await.is_err(), "nothing stands");
    source.apply(&setting()).await.unwrap();
    commands(&written);
    source.play(&dip([false, true, false], 30.0)).await.unwrap();
    let said = commands(&written);
    assert_eq!(
        said[..5],
        [
            "INST:NSEL 2;:VOLT:MODE LIST",
            "INST:NSEL 2;:LIST:VOLT 92.000,230.000",
            "INST:NSEL 2;:PHAS:MODE LIST",
            "INST:NSEL 2;:LIST:PHAS -90.000,-120.000",
            "INST:NSEL 2;:LIST:DWEL 0.200000,0.01"
        ]
    );
    assert!(said.contains(&"TRIG:SYNC:PHAS 90.000".to_owned()) && said.contains(&"INIT".to_owned()));
    assert!(said.iter().filter(|line| line.ends_with("VOLT:MODE FIX")).count() == 3);
    // The others are told by L1: when L1 jumps alone they are told to stay.
    source.play(&dip([true, false, false], 30.0)).await.unwrap();
    let said = commands(&written);
    let lists: Vec<&String> = said.iter().filter(|line| line.contains("LIST:PHAS")).collect();
    assert_eq!(
        lists,
        [
            "INST:NSEL 1;:LIST:PHAS 30.000,0.000",
            "INST:NSEL 2;:LIST:PHAS -150.000,-120.000",
            "INST:NSEL 3;:LIST:PHAS 90.000,120.000"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_it_cannot_make_is_refused_before_a_byte() {
    let (session, written) = answered(&STATES);
    let mut source = AmetekMx::new(session, LIMITS);
    let words = |result: Result<(), InstrumentError>| result.unwrap_err().to_string();
    assert_eq!(
        words(source.check(&Setting { current: [wave(5.0, 0.0), None, None], ..setting() })),
        "the source cannot make a current: it is a source of voltages alone, a load point with current needs another source"
    );
    for volt in [300.0, 0.0, -1.0, f64::NAN] {
        let bad = Setting { voltage: [wave(volt, 0.0), None, None], ..setting() };
        assert!(words(source.check(&bad)).contains("more than 0 V to 280 V"), "{volt}");
    }
    assert!(words(source.check(&Setting { hertz: 900.0, ..setting() })).contains("16 Hz to 819 Hz"));
    let refused = |waveform: &Waveform| words(source.check_waveform(&setting(), waveform));
    assert!(refused(&harmonics(&[(0, 5.0)])).contains("removes the direct part"));
    assert!(refused(&harmonics(&[(51, 5.0)])).contains("2 to 50"));
    assert!(refused(&harmonics(&[(5, f64::NAN)])).contains("no share"));
    let mut tone = Waveform::default();
    tone.voltage[0].interharmonic = Some(Interharmonic { hertz: 182.5, percent: 1.0 });
    assert!(refused(&tone).contains("repeat with every period"));
    let refused = |event: VoltageEvent| words(source.check_event(&setting(), &event));
    assert!(refused(VoltageEvent { share: 1.3, ..dip([true; 3], 0.0) }).contains("the limit of this bench is 280 V"));
    assert!(refused(VoltageEvent { seconds: 1e5, ..dip([true; 3], 0.0) }).contains("0.001 s to 90000 s"));
    assert!(refused(VoltageEvent { seconds: f64::NAN, ..dip([true; 3], 0.0) }).contains("0.001 s"));
    assert!(refused(dip([false; 3], 0.0)).contains("has no voltage"));
    assert!(refused(dip([true; 3], f64::NAN)).contains("no such jump"));
    assert!(source.apply_waveform(&setting(), &harmonics(&[(51, 5.0)])).await.is_err());
    assert!(written.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_transient_that_hangs_is_an_error() {
    let (session, _) = answered(&[
        ("*OPC?", "1"),
        ("OUTP?", "1"),
        ("TRIG:STAT?", "BUSY"),
        ("MEAS:FREQ?", "50"),
        ("INST:NSEL 1;:MEAS:VOLT?", "x"),
    ]);
    let mut source = AmetekMx::new(session, LIMITS);
    source.apply(&setting()).await.unwrap();
    let error = source.play(&dip([true; 3], 0.0)).await.unwrap_err().to_string();
    assert!(error.contains("does not end"), "{error}");
    assert!(source.read_back().await.is_err());
    assert!(source.off().await.unwrap_err().to_string().contains("on after it was switched off"));
}
