//! What the sums of the metrology over whole samples tell of whole cycles: RMS, fundamentals, the length of a window.

use super::lanes::sqrt;
use super::samples::CHANNELS;
use super::values::{Phasor, Spectrum};
use crate::config::Config;
use crate::cycle::PhaseSums;
use crate::state::EndedWindow;

const ONE: u64 = 1 << 16;

/// Mean squares over whole cycles of this length [1/65536 sample] from the sums of their whole samples (counts²).
///
/// The samples cover a little more or less than the cycles. At both ends the square is the same, and known from the angle to the
/// synchronising voltage, which is zero there: `Σ = M·(D + (N - D)·2·sin²φ) = M·(N - (N - D)·cos 2φ)`.
pub(crate) fn mean_squares(
    config: &Config,
    samples: u32,
    length: u64,
    phases: &[PhaseSums; 3],
    sync: usize,
) -> [f32; CHANNELS] {
    let excess = (u64::from(samples) * ONE) as i64 - length as i64;
    let (samples, excess) = (samples as f32, excess as i32 as f32 / 65_536.0);
    // Their fourth powers must fit.
    let small = |sum: i64| sum as f32 / (1u64 << 40) as f32;
    let zero = (small(phases[sync].u_cos), small(phases[sync].u_sin));
    let mut squares = [0.0; CHANNELS];
    for (n, sums) in phases.iter().enumerate().take(config.systems()) {
        let of = [(sums.uu, sums.u_cos, sums.u_sin), (sums.ii, sums.i_cos, sums.i_sin)];
        for (k, (sum, cos, sin)) in of.into_iter().enumerate() {
            let (cos, sin) = (small(cos), small(sin));
            let (along, across) = (cos * zero.0 + sin * zero.1, sin * zero.0 - cos * zero.1);
            let (along, across) = (along * along, across * across);
            let both = along + across;
            let double = if both > 0.0 { (along - across) / both } else { 0.0 };
            squares[2 * n + k] = sum.max(0) as f32 / (samples - excess * double).max(1.0);
        }
    }
    squares
}

/// Length of ten cycles by how far the detector's angle of the synchronising voltage went on from one half of the window to the
/// other [1/65536 sample]; `None` where it went too far.
///
/// Harmonics shift a crossing that lies between two samples, each time in another way, by up to a tenth of a sample at 1 % of order
/// 50; the angle they leave alone.
pub(crate) fn length_by_angle(ended: &EndedWindow, half_way: (i64, i64)) -> Option<u64> {
    let small = |sum: i64| sum as f32 / (1u64 << 40) as f32;
    let PhaseSums { u_cos, u_sin, .. } = ended.phases[ended.sync];
    let (first, second) = (half_way, (u_cos - half_way.0, u_sin - half_way.1));
    // The detector's sums are û·n/2·(cos a, -sin a).
    let first = Phasor { re: small(first.0), im: small(first.1) };
    let turned = Phasor { re: small(second.0), im: -small(second.1) } * first;
    let tangent = turned.im / turned.re;
    if !(turned.re > 0.0 && tangent.abs() < 0.2) {
        return None;
    }
    let square = tangent * tangent;
    let angle = tangent * (1.0 - square * (1.0 / 3.0 - square * 0.2));
    // The middles of the halves are half the window apart.
    let turns_of_period = ended.period as f32 / 65_536.0 / (ended.samples as f32 / 2.0) / core::f32::consts::TAU;
    let faster = angle * turns_of_period;
    let tuned = 10 * ended.period;
    u64::try_from(tuned - (tuned as f32 * (faster / (1.0 + faster))) as i64).ok()
}

/// The fundamentals of a window from the coherent detector, by the angle of the synchronising voltage.
///
/// The samples cover a little more or less than the window. At both ends every cosine stands at its peak and every sine is zero:
/// what is too much there is known, and is of `im` alone.
pub(crate) fn fundamentals(config: &Config, ended: &EndedWindow, duration: u64, spectrum: &mut Spectrum) {
    let samples = duration as f32 / 65_536.0;
    let excess = ended.samples as f32 - samples;
    // û·n/2·(cos a, -sin a) in Q22, as an RMS value.
    let scale = core::f32::consts::SQRT_2 / samples / (1u32 << 22) as f32;
    let sync = ended.phases[ended.sync];
    let (cos, sin) = (sync.u_cos as f32 * scale, sync.u_sin as f32 * scale);
    let length = sqrt(cos * cos + sin * sin);
    let (cos, sin) = if length > 0.0 { (cos / length, sin / length) } else { (1.0, 0.0) };
    let turned = |c: i64, s: i64, per_count: f32| {
        let (c, s) = (c as f32 * scale * per_count, s as f32 * scale * per_count);
        Phasor { re: c * cos + s * sin, im: (c * sin - s * cos) / (1.0 + 2.0 * excess / samples) }
    };
    for (n, phase) in config.phases.iter().enumerate().take(config.systems()) {
        let PhaseSums { u_cos, u_sin, i_cos, i_sin, .. } = ended.phases[n];
        spectrum.voltage[n][0] = turned(u_cos, u_sin, phase.volt_per_count());
        spectrum.current[n][0] = turned(i_cos, i_sin, phase.ampere_per_count());
    }
}
