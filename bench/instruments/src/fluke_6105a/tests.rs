use meterbench_waveform::Harmonic;

use super::*;
use crate::scpi::tests::{answered, commands};

const LIMITS: SourceLimits = SourceLimits { volt: 280.0, ampere: 80.0 };
const STATES: [(&str, &str); 3] = [("*OPC?", "1"), ("OUTP:STAT?", "1"), ("SOUR:FREQ?", "5.0E1")];

fn wave(rms: f64, lag_deg: f64) -> Option<Wave> {
    Some(Wave { rms, lag_deg })
}

fn setting() -> Setting {
    Setting {
        hertz: 50.0,
        voltage: [wave(230.0, 0.0), wave(230.0, 120.0), wave(230.0, 240.0)],
        current: [wave(5.0, 60.0), None, wave(5.0, 300.0)],
    }
}

fn with_harmonic(order: u16, percent: f64) -> Waveform {
    let mut waveform = Waveform::default();
    waveform.current[0].harmonics = vec![Harmonic { order, percent, angle_deg: 0.0 }];
    waveform
}

fn dip(phases: [bool; 3], seconds: f64) -> VoltageEvent {
    VoltageEvent { phases, share: 0.4, seconds, point_on_wave_deg: 90.0, phase_jump_deg: 0.0 }
}

#[tokio::test(start_paused = true)]
async fn a_load_point_begins_with_everything_off() {
    let (session, written) = answered(&STATES);
    let mut source = Fluke6105a::new(session, LIMITS);
    source.apply(&setting()).await.unwrap();
    let said = commands(&written);
    let place = |text: &str| said.iter().position(|line| line == text).unwrap_or_else(|| panic!("{text}: {said:?}"));
    assert_eq!(said[..3], ["*CLS", "OUTP:STAT OFF", "*RST"]);
    assert!(place("SOUR:PHAS3:VOLT:RANG 0,360") < place("SOUR:FREQ 50"));
    assert!(place("SOUR:PHAS2:VOLT:MHAR:HARM1 230.000000,-120.0000") < place("SOUR:PHAS1:CURR:RANG 0.5,5"));
    // Each current by the voltage of its own phase: 60 degrees behind it.
    place("SOUR:PHAS1:CURR:MHAR:HARM1 5.000000,-60.0000");
    assert!(place("SOUR:PHAS3:CURR:MHAR:HARM1 5.000000,-60.0000") < place("OUTP:STAT ON"));
    assert!(!said.iter().any(|line| line.starts_with("SOUR:PHAS2:CURR")), "{said:?}");
    // The same once more says nothing; another range goes over a channel that is off.
    source.apply(&setting()).await.unwrap();
    assert_eq!(commands(&written), ["*OPC?", "OUTP:STAT?"]);
    source.apply(&Setting { current: [wave(20.0, 60.0), None, None], ..setting() }).await.unwrap();
    let said = commands(&written);
    assert_eq!(said[..3], ["SOUR:PHAS1:CURR:STAT OFF", "SOUR:PHAS3:CURR:STAT OFF", "SOUR:PHAS1:CURR:RANG 2,21"]);
    assert!(said.contains(&"SOUR:PHAS1:CURR:STAT ON".to_owned()), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_plain_setting_is_without_the_harmonics_of_the_one_before() {
    let (session, written) = answered(&STATES);
    let mut source = Fluke6105a::new(session, LIMITS);
    source.apply_waveform(&setting(), &with_harmonic(5, 20.0)).await.unwrap();
    assert!(commands(&written).contains(&"SOUR:PHAS1:CURR:MHAR:HARM5 1.000000,0.0000".to_owned()));
    source.apply(&setting()).await.unwrap();
    assert!(commands(&written).contains(&"SOUR:PHAS1:CURR:MHAR:CLE".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn three_phases_begin_their_dip_together() {
    let (session, written) = answered(&STATES);
    let mut source = Fluke6105a::new(session, LIMITS);
    assert!(source.play(&dip([true; 3], 0.2)).await.is_err(), "nothing stands");
    source.apply(&setting()).await.unwrap();
    commands(&written);
    let began = tokio::time::Instant::now();
    source.play(&dip([true; 3], 0.2)).await.unwrap();
    assert!(began.elapsed() > Duration::from_millis(220), "it is over");
    let said = commands(&written);
    let holds: Vec<&String> = said.iter().filter(|line| line.contains("TRIG:HOLD")).collect();
    assert_eq!(
        holds,
        [
            "SOUR:PHAS1:VOLT:DIP:TRIG:HOLD PHAS,89.100",
            "SOUR:PHAS2:VOLT:DIP:TRIG:HOLD PHAS,-30.900",
            "SOUR:PHAS3:VOLT:DIP:TRIG:HOLD PHAS,-150.900"
        ]
    );
    assert_eq!(said.iter().filter(|line| *line == "OUTP:DIP:TRIG").count(), 1);
    assert_eq!(said.iter().filter(|line| line.ends_with("DIP:STAT OFF")).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_it_cannot_make_is_refused_before_a_byte() {
    let (session, written) = answered(&STATES);
    let mut source = Fluke6105a::new(session, LIMITS);
    let words = |result: Result<(), InstrumentError>| result.unwrap_err().to_string();
    let beyond = |bad: &Setting| words(source.check(bad));
    assert_eq!(
        beyond(&Setting { current: [wave(100.0, 0.0), None, None], ..setting() }),
        "the source is not asked for 100 A: the limit of this bench is 0.01 A to 80 A"
    );
    assert!(beyond(&Setting { voltage: [wave(300.0, 0.0), None, None], ..setting() }).ends_with("1 V to 280 V"));
    assert!(beyond(&Setting { voltage: [wave(f64::NAN, 0.0), None, None], ..setting() }).ends_with("1 V to 280 V"));
    assert!(beyond(&Setting { hertz: 5.0, ..setting() }).ends_with("16 Hz to 850 Hz"));
    assert!(words(source.check_waveform(&setting(), &with_harmonic(101, 5.0))).contains("cannot make a harmonic 101"));
    let mut on_nothing = Waveform::default();
    on_nothing.current[1] = with_harmonic(5, 5.0).current[0].clone();
    assert_eq!(
        words(source.check_waveform(&setting(), &on_nothing)),
        "the source cannot make a distortion of I2: it is switched off"
    );
    assert!(words(source.check_event(&setting(), &dip([true; 3], 180.0))).contains("ends at a minute"));
    let swell = VoltageEvent { share: 1.3, ..dip([true; 3], 0.2) };
    assert!(words(source.check_event(&setting(), &swell)).contains("a swell to 299 V"));
    let dark = Setting { voltage: [None; 3], ..setting() };
    assert!(words(source.check_event(&dark, &dip([true, false, false], 0.2))).contains("has no voltage"));
    assert!(source.apply_waveform(&setting(), &with_harmonic(101, 5.0)).await.is_err());
    assert!(written.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_it_says_of_its_output_is_read_back() {
    const ANSWERS: [(&str, &str); 14] = [
        ("SOUR:FREQ?", "5.0E1"),
        ("OUTP:STAT?", "1"),
        ("SOUR:PHAS1:VOLT:STAT?", "1"),
        ("SOUR:PHAS1:VOLT:AMPL?", "2.3E2"),
        ("SOUR:PHAS1:CURR:STAT?", "0"),
        ("SOUR:PHAS2:VOLT:STAT?", "0"),
        ("SOUR:PHAS2:CURR:STAT?", "0"),
        ("SOUR:PHAS3:VOLT:STAT?", "0"),
        ("SOUR:PHAS3:CURR:STAT?", "ON"),
        ("SOUR:PHAS3:CURR:AMPL?", "1.44E1"),
        ("*IDN?", "FLUKE,6105A,12345,2.1"),
        ("SOUR:PHAS1:FITT?", "1"),
        ("SOUR:PHAS2:FITT?", "1"),
        ("SOUR:PHAS3:FITT?", "0"),
    ];
    let (session, _) = answered(&ANSWERS);
    let mut source = Fluke6105a::new(session, LIMITS);
    let seen = source.read_back().await.unwrap();
    assert_eq!((seen.hertz, seen.volt, seen.ampere), (50.0, [230.0, 0.0, 0.0], [0.0, 0.0, 14.4]));
    let error = source.identify().await.unwrap_err().to_string();
    assert!(error.contains("phase 3 is not fitted"), "{error}");
    assert!(source.off().await.unwrap_err().to_string().contains("on after it was switched off"));
}
