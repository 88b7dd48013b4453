//! Limits of the influences that are waves: figures, loads, and what decides.

use meterbench_record::{Certainty, Class, LoadPoint, Phases, Switched, Verdict};
use meterbench_waveform::NamedWave;

use super::tests::{find, plate, point};
use crate::data::Influence;
use crate::decision::DecisionRule;
use crate::influence::InfluenceLimit;

use Influence::{DcAndEvenHarmonics, FastLoadVariation, FifthHarmonic, OddHarmonics, Peaked, Quadriform, SubHarmonics};

fn limit(citation: &str, class: Class, influence: Influence, ampere: f64) -> Option<InfluenceLimit> {
    find(citation).influence_limit(&plate(class, 3), influence, 0.0, &point(ampere, "1", Phases::L123))
}

#[test]
fn limits_of_waves_follow_the_page_of_their_edition() {
    use Class::{A, B, C, One, Two};
    const EN: &str = "EN 50470-3:2006";
    const EN22: &str = "EN 50470-3:2022";
    const IEC: &str = "IEC 62053-21:2003";
    const IEC20: &str = "IEC 62053-21:2020";
    const R46: &str = "OIML R46:2012";
    use Certainty::{High, Low, Medium, Verified};
    #[rustfmt::skip]
    let table = [
        (EN,    A,   FifthHarmonic,      50.0, 1.0, High),
        (EN,    B,   FifthHarmonic,      50.0, 0.8, Verified),
        (EN,    C,   FifthHarmonic,      50.0, 0.5, Verified),
        (EN,    B,   DcAndEvenHarmonics, 50.0, 3.0, Verified),
        (EN,    A,   DcAndEvenHarmonics, 50.0, 6.0, High),
        (EN,    B,   OddHarmonics,       2.5,  3.0, Medium),
        (EN,    B,   SubHarmonics,       2.5,  3.0, High),
        (EN22,  B,   FifthHarmonic,      50.0, 0.8, High),
        (EN22,  B,   SubHarmonics,       2.5,  3.0, Medium),
        (EN22,  B,   FastLoadVariation,  5.0,  2.0, Low),
        (EN22,  C,   FastLoadVariation,  5.0,  1.0, Low),
        (IEC,   One, FifthHarmonic,      50.0, 0.8, Verified),
        (IEC,   Two, FifthHarmonic,      50.0, 1.0, High),
        (IEC,   One, DcAndEvenHarmonics, 50.0, 3.0, Verified),
        (IEC,   Two, DcAndEvenHarmonics, 50.0, 6.0, High),
        (IEC,   One, OddHarmonics,       2.5,  3.0, Medium),
        (IEC,   One, SubHarmonics,       2.5,  3.0, Verified),
        (IEC20, One, DcAndEvenHarmonics, 50.0, 3.0, High),
        (IEC20, Two, FastLoadVariation,  5.0,  3.0, Low),
        (R46,   B,   Quadriform,         5.0,  0.6, Medium),
        (R46,   B,   Peaked,             5.0,  0.6, Medium),
        (R46,   A,   Peaked,             5.0,  1.0, Medium),
        (R46,   B,   OddHarmonics,       5.0,  0.8, Medium),
        (R46,   B,   SubHarmonics,       5.0,  1.5, Medium),
        (R46,   C,   DcAndEvenHarmonics, 50.0, 1.5, Medium),
    ];
    for (citation, class, influence, ampere, high, certainty) in table {
        let found =
            limit(citation, class, influence, ampere).unwrap_or_else(|| panic!("{citation} {class} {influence:?}"));
        assert_eq!((found.limit.low, found.limit.high), (Some(-high), Some(high)), "{citation} {class} {influence:?}");
        assert_eq!(found.limit.certainty, certainty, "{citation} {class} {influence:?}");
        assert!(
            limit(citation, class, influence, ampere * 1.01).is_none(),
            "one current only: {citation} {influence:?}"
        );
    }
    // What an edition does not have.
    for (citation, class, influence, ampere) in [
        (EN, B, FastLoadVariation, 5.0),
        (IEC, One, FastLoadVariation, 5.0),
        (EN, B, Quadriform, 5.0),
        (R46, B, FifthHarmonic, 50.0),
    ] {
        assert!(limit(citation, class, influence, ampere).is_none(), "{citation} {influence:?}");
    }
}

#[test]
fn an_uncertain_current_decides_only_far_from_the_figure() {
    let fired = limit("EN 50470-3:2006", Class::B, OddHarmonics, 2.5).unwrap().limit;
    let judged = |shift| DecisionRule::GuardedAcceptance.judge(shift, 0.05, &fired);
    assert!(judged(0.02).decides && judged(0.02).verdict == Verdict::Pass);
    assert!(!judged(2.0).decides && !judged(4.0).decides);
    assert!(judged(6.1).decides && judged(6.1).verdict == Verdict::Fail);
    // Of a switched current nothing is certain.
    let switched = limit("EN 50470-3:2022", Class::B, FastLoadVariation, 5.0).unwrap().limit;
    assert!(switched.binding.is_none());
    assert!(!DecisionRule::GuardedAcceptance.judge(50.0, 0.05, &switched).decides);
}

#[test]
fn only_r46_keeps_the_power_of_what_is_cut_from_a_sine() {
    let equal: Vec<String> = super::Standard::all()
        .iter()
        .flat_map(|s| {
            Influence::WAVES.into_iter().filter(|&w| s.equal_power(w)).map(|w| format!("{} {}", s.citation(), w.name()))
        })
        .collect();
    assert_eq!(equal, ["OIML R46:2012 odd-harmonics", "OIML R46:2012 sub-harmonics"]);
    let (times, seconds) = find("EN 50470-3:2022").load_variations().unwrap();
    assert_eq!((times, seconds), (&[(10.0, 10.0), (5.0, 5.0), (5.0, 0.5)][..], 14_400.0));
    assert!(find("EN 50470-3:2006").load_variations().is_none());
}

#[test]
fn pitfall_5_and_6_waves_have_limits_of_their_own_and_none_of_the_intrinsic_error() {
    let sine = point(50.0, "1", Phases::L123);
    let standard = find("EN 50470-3:2006");
    assert!(standard.intrinsic_limit(&plate(Class::B, 3), &sine).is_ok());
    let wave = LoadPoint { wave: Some(NamedWave::HalfWave), ..sine.clone() };
    let switched = LoadPoint { switched: Some(Switched { on_seconds: 5.0, off_seconds: 0.5 }), ..sine };
    for distorted in [wave, switched] {
        let says = standard.intrinsic_limit(&plate(Class::B, 3), &distorted).unwrap_err().to_string();
        assert!(says.contains("influence"), "{says}");
    }
    let row = limit("EN 50470-3:2006", Class::B, DcAndEvenHarmonics, 50.0).unwrap().limit.row;
    assert_eq!(
        row,
        "influence of dc-and-even-harmonics, balanced, at 0.5 Imax, PF 1, half-wave of Imax/√2 RMS, class B"
    );
}
