//! Numbers worked out by hand for one meter, recomputed from the data files: 230 V, 50 Hz, 0.25-5(100) A, 1000 imp/kWh.

use std::f64::consts::{PI, SQRT_2};

use meterbench_record::Phases;

use super::tests::{find, plate, point, reactive};
use super::*;
use crate::data::Influence;

const EN: &str = "EN 50470-3:2006";
const R46: &str = "OIML R46:2012";

/// Equal to the last digit that the worked number has.
#[track_caller]
fn same(value: f64, worked: f64, digit: f64) {
    assert!((value - worked).abs() <= 0.5 * digit + 1e-9, "{value} is not {worked}");
}

#[test]
fn no_load_takes_the_time_of_its_own_formula() {
    use Class::{A, B, One, Three, Two};
    // standard, class, voltage in Un, minutes with one element, minutes with three
    #[rustfmt::skip]
    let table = [
        ("IEC 62053-21:2003", One,   1.15, 26.09, 8.70),
        ("IEC 62053-21:2003", Two,   1.15, 20.87, 6.96),
        ("IEC 62053-23:2003", Two,   1.15, 20.87, 6.96),
        ("IEC 62053-23:2003", Three, 1.15, 13.04, 4.35),
        (EN,                  A,     1.15, 36.29, 12.10),
        (EN,                  B,     1.15, 45.37, 15.12),
        ("IEC 62053-21:2020", One,   1.1,  47.43, 15.81),
        ("IEC 62053-21:2020", Two,   1.1,  37.94, 12.65),
        (R46,                 A,     1.1,  37.94, 12.65),
        (R46,                 B,     1.1,  63.24, 21.08),
    ];
    for (citation, class, factor, one, three) in table {
        let standard = find(citation);
        for (systems, minutes) in [(1, one), (3, three)] {
            let plate = reactive(plate(class, systems), class);
            same(standard.no_load_at(&plate, factor).unwrap().seconds / 60.0, minutes, 0.01);
        }
        let own = standard.no_load(&reactive(plate(class, 3), class)).unwrap()[0].voltage_factor;
        assert_eq!(own, factor, "{citation}");
    }
    // A voltage the edition does not name, for those who read Un in the text of 2012.
    let at_un = |systems| find(R46).no_load_at(&plate(B, systems), 1.0).unwrap();
    same(at_un(1).seconds / 60.0, 69.57, 0.01);
    same(at_un(3).seconds / 60.0, 23.19, 0.01);
    assert!(!at_un(3).limit.certainty.decides());
    let fifth = |systems| Nameplate { imin_ampere: 0.2, ..plate(B, systems) };
    same(find(R46).no_load(&fifth(1)).unwrap()[0].seconds / 60.0, 79.05, 0.01);
    same(find(R46).no_load(&fifth(3)).unwrap()[0].seconds / 60.0, 26.35, 0.01);
}

/// A regional program divides by 1.15 Un where the standard says Un: 13 % too short.
#[test]
fn no_load_never_takes_the_short_time_of_a_regional_program() {
    for (systems, wrong) in [(1, 22.68), (3, 7.56)] {
        let right = find("IEC 62053-21:2003").no_load(&plate(Class::One, systems)).unwrap()[0].seconds / 60.0;
        same(right / 1.15, wrong, 0.01);
        for standard in Standard::all() {
            let meter = reactive(plate(Class::One, systems), Class::One);
            for no_load in standard.no_load(&meter).unwrap_or_default() {
                assert!((no_load.seconds / 60.0 / wrong - 1.0).abs() > 0.05, "{}", standard.citation());
            }
        }
    }
}

#[test]
fn starting_has_the_worked_times() {
    // standard, class, systems, Ist (A), power (W), tau (s), 1.5 tau (s), 4 tau (min)
    #[rustfmt::skip]
    let table = [
        (EN,                  Class::B,   1, 0.02,  4.6,   782.6, 1173.9, 52.2),
        (EN,                  Class::B,   3, 0.02,  13.8,  260.9, 391.3,  17.4),
        (EN,                  Class::A,   1, 0.025, 5.75,  626.1, 939.1,  41.7),
        (EN,                  Class::A,   3, 0.025, 17.25, 208.7, 313.0,  13.9),
        ("IEC 62053-21:2003", Class::One, 1, 0.02,  4.6,   782.6, 1173.9, 52.2),
        ("IEC 62053-21:2003", Class::Two, 3, 0.025, 17.25, 208.7, 313.0,  13.9),
    ];
    for (citation, class, systems, ampere, watt, tau, first, longest) in table {
        let starting = find(citation).starting(&plate(class, systems)).unwrap();
        same(starting.ampere, ampere, 1e-6);
        same(f64::from(systems) * 230.0 * starting.ampere, watt, 1e-6);
        same(starting.tau_seconds, tau, 0.1);
        same(starting.limit.high.unwrap(), first, 0.1);
        same(starting.longest_seconds / 60.0, longest, 0.1);
    }
}

#[test]
fn the_current_ratios_fit_classes_a_and_b_of_the_mid() {
    let plate = plate(Class::B, 3);
    let itr = plate.itr_ampere();
    same(itr, 0.5, 1e-9);
    same(plate.imax_ampere / itr, 200.0, 1e-9);
    // Class, largest Ist/Itr and Imin/Itr the MID allows, whether this meter fits.
    for (class, ist, imin, fits) in
        [(Class::A, 0.05, 0.5, true), (Class::B, 0.04, 0.5, true), (Class::C, 0.04, 0.3, false)]
    {
        same(find(EN).starting(&self::plate(class, 3)).unwrap().ampere / itr, ist, 1e-9);
        assert_eq!(plate.imin_ampere / itr <= imin, fits, "{class}");
    }
    assert!(plate.imin_ampere / itr > 0.4, "R46 class B asks for Imin at most 0.4 Itr");
}

#[test]
fn the_critical_change_is_23_or_69_impulses() {
    for (systems, kwh, impulses) in [(1, 0.023, 23.0), (3, 0.069, 69.0)] {
        let plate = plate(Class::B, systems);
        let wh = find(EN).dips(&plate).unwrap().limit.high.unwrap();
        same(wh / 1000.0, kwh, 1e-6);
        same(wh / plate.watt_hours_per_impulse(), impulses, 1e-6);
    }
}

#[test]
fn the_meter_constant_needs_a_thousand_register_steps() {
    let limit = find(R46).meter_constant_limit(&plate(Class::B, 1)).unwrap().high.unwrap();
    // Register step (Wh), least energy (kWh), minutes at 23 kW and at 69 kW
    for (step, kwh, one, three) in [(1.0, 1.0, 2.6, 0.9), (10.0, 10.0, 26.1, 8.7), (100.0, 100.0, 260.9, 87.0)] {
        let energy = step / (limit / 100.0) / 1000.0;
        same(energy, kwh, 1e-6);
        same(energy / 23.0 * 60.0, one, 0.1);
        same(energy / 69.0 * 60.0, three, 0.1);
    }
}

#[test]
fn the_limit_of_r46_grows_below_imin() {
    let plate = plate(Class::B, 3);
    let limit = |ampere| find(R46).intrinsic_limit(&plate, &point(ampere, "1", Phases::L123)).ok()?.high;
    same(limit(0.2).unwrap(), 1.88, 0.01);
    same(limit(0.1).unwrap(), 3.75, 1e-6);
    same(limit(0.02).unwrap(), 18.75, 1e-6);
    same(limit(0.25).unwrap(), 1.5, 1e-6);
    assert_eq!(limit(0.019), None);
}

/// A meter that sits on every single limit at once still breaks the composite error in most cells.
#[test]
fn the_composite_error_at_every_limit() {
    use Class::{A, B, C};
    // PF, class, then composite error, MPE and whether it fits, for the four ranges of temperature
    #[rustfmt::skip]
    let table = [
        ("1",       A, [(2.98, 3.5, true),  (4.07, 4.5, true),  (5.36, 7.0, true),  (6.73, 9.0, true)]),
        ("1",       B, [(1.60, 2.0, true),  (2.11, 2.5, true),  (2.74, 3.5, true),  (3.42, 4.0, true)]),
        ("1",       C, [(0.79, 0.7, false), (1.14, 1.0, false), (1.55, 1.3, false), (1.98, 1.5, false)]),
        ("0.5 ind", A, [(3.81, 3.5, false), (5.63, 4.5, false), (7.69, 7.0, false), (9.83, 9.0, false)]),
        ("0.5 ind", B, [(2.02, 2.0, false), (2.80, 2.5, false), (3.71, 3.5, false), (4.68, 4.0, false)]),
        ("0.5 ind", C, [(1.17, 0.7, false), (1.81, 1.0, false), (2.51, 1.3, false), (3.24, 1.5, false)]),
    ];
    let standard = find(EN);
    for (pf, class, cells) in table {
        let (plate, point) = (plate(class, 3), point(5.0, pf, Phases::L123));
        let shift = |influence, value| {
            standard.influence_limit(&plate, influence, value, &point).and_then(|l| l.limit.high).unwrap()
        };
        let intrinsic = standard.intrinsic_limit(&plate, &point).unwrap().high.unwrap();
        let ranges = standard.mpe_ranges();
        assert_eq!(ranges.len(), cells.len());
        for (range, (composite, mpe, fits)) in ranges.into_iter().zip(cells) {
            let kelvin = (23.0 - range.from).max(range.to - 23.0);
            let shifts = [
                intrinsic,
                shift(Influence::Temperature, range.from) * kelvin,
                shift(Influence::Voltage, 0.9),
                shift(Influence::Frequency, 0.98),
            ];
            let e_c = shifts.iter().map(|e| e * e).sum::<f64>().sqrt();
            let limit = standard.mpe(&plate, range, &point).unwrap().high.unwrap();
            same(e_c, composite, 0.01);
            same(limit, mpe, 1e-9);
            assert_eq!(e_c <= limit, fits, "{class} PF {pf} {range}");
        }
    }
}

#[test]
fn the_worst_kelvins_of_the_ranges() {
    let ranges = find(EN).mpe_ranges();
    let kelvin: Vec<f64> = ranges.iter().map(|r| (23.0 - r.from).max(r.to - 23.0)).collect();
    assert_eq!(kelvin, [18.0, 33.0, 48.0, 63.0]);
}

#[test]
fn an_angle_error_weighs_more_at_a_low_power_factor() {
    let per_arcminute = 100.0 * PI / 180.0 / 60.0;
    let per_microsecond = 100.0 * 2.0 * PI * 50.0 * 1e-6;
    let sensitivity = |pf| point(5.0, pf, Phases::L123).angle_sensitivity().abs();
    same(sensitivity("0.5 ind") * per_arcminute, 0.0504, 1e-4);
    same(sensitivity("0.8 cap") * per_arcminute, 0.0218, 1e-4);
    same(sensitivity("0.5 ind") * per_microsecond, 0.0544, 1e-4);
}

#[test]
fn the_pulse_output_at_imax() {
    // Systems, volt, kW, impulses per second, period (ms), off-times after 27, 30 and 33 ms (ms), whether 30 ms of them remain
    #[rustfmt::skip]
    let table = [
        (1, 230.0, 23.0,  6.389,  156.52, [129.52, 126.52, 123.52], true),
        (1, 264.5, 26.45, 7.347,  136.11, [109.11, 106.11, 103.11], true),
        (3, 230.0, 69.0,  19.167, 52.17,  [25.17, 22.17, 19.17],    false),
        (3, 264.5, 79.35, 22.042, 45.37,  [18.37, 15.37, 12.37],    false),
    ];
    for (systems, volt, kilowatt, rate, period, off, leaves) in table {
        let plate = plate(Class::B, systems);
        let watt = LoadPoint { volt, ..point(plate.imax_ampere, "1", Phases::all(systems)) }.power();
        let milliseconds = plate.seconds_per_impulse(watt) * 1000.0;
        same(watt / 1000.0, kilowatt, 1e-6);
        same(1000.0 / milliseconds, rate, 0.001);
        same(milliseconds, period, 0.01);
        for (on, off) in [27.0, 30.0, 33.0].into_iter().zip(off) {
            same(milliseconds - on, off, 0.01);
        }
        assert_eq!(milliseconds - 30.0 >= 30.0, leaves, "{systems} systems, {volt} V");
    }
    let fastest = plate(Class::B, 3).seconds_per_impulse(60_000.0);
    same(fastest, 0.06, 1e-9);
    same(1.0 / fastest, 16.67, 0.01);
    same(60_000.0 / 3.0 / 230.0, 87.0, 0.1);
    same(60_000.0 / 230.0, 260.9, 0.1);
}

/// Voltage or current over its fundamental's amplitude, as amplitude (%) and angle (deg) of each order.
type Harmonics = [(f64, f64, f64)];

const STEPS: u32 = 100_000;

fn wave(harmonics: &Harmonics, angle: f64) -> f64 {
    harmonics.iter().map(|(n, percent, shift)| percent / 100.0 * (n * angle + shift.to_radians()).sin()).sum()
}

/// Mean over this many periods, by midpoints.
fn mean(periods: f64, f: impl Fn(f64) -> f64) -> f64 {
    let step = periods * 2.0 * PI / f64::from(STEPS);
    (0..STEPS).map(|n| f((f64::from(n) + 0.5) * step)).sum::<f64>() / f64::from(STEPS)
}

fn peak(f: impl Fn(f64) -> f64) -> f64 {
    (0..STEPS).map(|n| f(f64::from(n) * 2.0 * PI / f64::from(STEPS)).abs()).fold(0.0, f64::max)
}

#[test]
fn the_distorted_waves_have_the_worked_powers_and_peaks() {
    let quadriform_i =
        [(1.0, 100.0, 0.0), (3.0, 30.0, 0.0), (5.0, 18.0, 0.0), (7.0, 14.0, 0.0), (11.0, 9.0, 0.0), (13.0, 5.0, 0.0)];
    let quadriform_u = [
        (1.0, 100.0, 0.0),
        (3.0, 3.8, 180.0),
        (5.0, 2.4, 180.0),
        (7.0, 1.7, 180.0),
        (11.0, 1.0, 180.0),
        (13.0, 0.8, 180.0),
    ];
    let peaked_i = [
        (1.0, 100.0, 0.0),
        (3.0, 30.0, 180.0),
        (5.0, 18.0, 0.0),
        (7.0, 14.0, 180.0),
        (11.0, 9.0, 180.0),
        (13.0, 5.0, 0.0),
    ];
    let peaked_u =
        [(1.0, 100.0, 0.0), (3.0, 3.8, 0.0), (5.0, 2.4, 180.0), (7.0, 1.7, 0.0), (11.0, 1.0, 0.0), (13.0, 0.8, 180.0)];
    let (fifth_i, fifth_u) = ([(1.0, 100.0, 0.0), (5.0, 40.0, 0.0)], [(1.0, 100.0, 0.0), (5.0, 10.0, 0.0)]);
    // Current, voltage, then P/P1, Irms/I1, Urms/U1, peaks of I and U, error of a reference that sees the fundamental only (%)
    #[rustfmt::skip]
    let table: [(&Harmonics, &Harmonics, [f64; 6]); 3] = [
        (&quadriform_i, &quadriform_u, [0.9806, 1.0736, 1.0012, 0.9275, 1.0330, 1.98]),
        (&peaked_i,     &peaked_u,     [0.9806, 1.0736, 1.0012, 1.7600, 0.9551, 1.98]),
        (&fifth_i,      &fifth_u,      [1.0400, 1.0770, 1.0050, 1.4000, 1.1000, -3.85]),
    ];
    for (i, u, [power, i_rms, u_rms, i_peak, u_peak, error]) in table {
        let p = 2.0 * mean(1.0, |a| wave(i, a) * wave(u, a));
        let rms = |h: &Harmonics| (2.0 * mean(1.0, |a| wave(h, a).powi(2))).sqrt();
        same(p, power, 1e-4);
        same(rms(i), i_rms, 1e-4);
        same(rms(u), u_rms, 1e-4);
        same(peak(|a| wave(i, a)), i_peak, 1e-4);
        same(peak(|a| wave(u, a)), u_peak, 1e-4);
        same((1.0 / p - 1.0) * 100.0, error, 0.01);
    }
    let rms = (2.0 * mean(1.0, |a| wave(&fifth_i, a).powi(2))).sqrt();
    same(50.0 * rms, 53.85, 0.01);
    same(50.0 * SQRT_2 * peak(|a| wave(&fifth_i, a)), 99.0, 0.1);
    same(2.0 * mean(1.0, |a| wave(&fifth_i, a) * wave(&fifth_u, a)) * 230.0 * 50.0 / 1000.0, 11.96, 0.01);
}

#[test]
fn the_half_wave_at_imax() {
    let wave = |a: f64| (100.0 * SQRT_2 * a.sin()).max(0.0);
    let rms_of = |n: f64| mean(1.0, |a| wave(a) * (n * a).sin()).hypot(mean(1.0, |a| wave(a) * (n * a).cos())) * SQRT_2;
    same(mean(1.0, |a| wave(a).powi(2)).sqrt(), 70.71, 0.01);
    same(peak(wave), 141.4, 0.1);
    same(mean(1.0, wave), 45.02, 0.01);
    same(rms_of(1.0), 50.0, 0.01);
    same(rms_of(2.0), 21.22, 0.01);
    same(mean(1.0, |a| wave(a) * 230.0 * SQRT_2 * a.sin()) / 1000.0, 11.5, 0.01);
}

#[test]
fn the_phase_fired_wave_and_the_burst_at_half_ib() {
    let sine = |a: f64| 2.5 * SQRT_2 * a.sin();
    let fired = |a: f64| if a % PI >= PI / 2.0 { sine(a) } else { 0.0 };
    let (sin, cos) = (mean(1.0, |a| fired(a) * a.sin()), mean(1.0, |a| fired(a) * a.cos()));
    let full = mean(1.0, |a| sine(a) * a.sin());
    same(mean(1.0, |a| fired(a).powi(2)).sqrt(), 1.768, 0.001);
    same(sin / full, 0.5, 1e-4);
    same(sin.hypot(cos) * SQRT_2, 1.482, 0.001);
    same((-cos).atan2(sin).to_degrees(), 32.5, 0.1);

    // Two periods on, two off: 80 ms.
    let burst = |a: f64| if a < 4.0 * PI { sine(a) } else { 0.0 };
    let watt = mean(4.0, |a| burst(a) * 230.0 * SQRT_2 * a.sin());
    same(watt, 287.5, 0.1);
    same(plate(Class::B, 1).seconds_per_impulse(watt), 12.52, 0.01);
    same(50.0 / 4.0, 12.5, 1e-9);
}
