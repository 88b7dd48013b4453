//! Seeded randomness: every draw is a function of a seed and a name or an index, so nothing depends on order.

use std::sync::LazyLock;

/// SplitMix64: a bijective mix, specified bit for bit.
pub(crate) const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Draws by name from one seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draw {
    seed: u64,
}

impl Draw {
    /// A source of draws for one thing, such as the serial number of a meter.
    pub(crate) fn of(seed: u64, thing: &str) -> Self {
        let named = thing.bytes().fold(mix(seed), |hash, byte| mix(hash ^ u64::from(byte)));
        Self { seed: named }
    }

    /// 64 bits.
    pub(crate) fn bits(self, name: &str, index: u64) -> u64 {
        mix(Self::of(self.seed, name).seed ^ mix(index))
    }

    /// Uniform in (0, 1).
    pub(crate) fn uniform(self, name: &str, index: u64) -> f64 {
        ((self.bits(name, index) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Uniform in (-half, +half).
    pub(crate) fn rectangular(self, name: &str, index: u64, half: f64) -> f64 {
        (2.0 * self.uniform(name, index) - 1.0) * half
    }

    /// Normal with mean zero.
    pub(crate) fn normal(self, name: &str, index: u64, sigma: f64) -> f64 {
        normal_quantile(self.uniform(name, index)) * sigma
    }
}

/// Inverse of the standard normal distribution (Acklam's rational approximation, relative error below 1.2e-9).
pub(crate) fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 5] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 4] =
        [7.784_695_709_041_462e-3, 3.224_671_290_700_398e-1, 2.445_134_137_142_996, 3.754_408_661_907_416];
    let horner = |c: &[f64], x: f64| c.iter().fold(0.0, |sum, k| sum * x + k);
    if p < 0.024_25 {
        let q = (-2.0 * p.ln()).sqrt();
        horner(&C, q) / (horner(&D, q) * q + 1.0)
    } else if p > 1.0 - 0.024_25 {
        -normal_quantile(1.0 - p)
    } else {
        let q = p - 0.5;
        let r = q * q;
        horner(&A, r) * q / (horner(&B, r) * r + 1.0)
    }
}

const TABLE_BITS: u32 = 10;

/// Standard normal deviates at equal probabilities, scaled to a deviation of exactly one.
static TABLE: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let size = 1usize << TABLE_BITS;
    let raw: Vec<f64> = (0..size).map(|n| normal_quantile((n as f64 + 0.5) / size as f64)).collect();
    let deviation = (raw.iter().map(|x| x * x).sum::<f64>() / size as f64).sqrt();
    raw.into_iter().map(|x| x / deviation).collect()
});

/// White noise on six channels, drawn per sample index: cutting a run into blocks never changes a bit.
///
/// A table of 1024 normal deviates; peaks end at 3.3 sigma.
#[derive(Debug, Clone)]
pub(crate) struct ChannelNoise {
    seed: u64,
    table: &'static [f64],
}

impl ChannelNoise {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, table: &TABLE }
    }

    /// Six standard normal deviates for this sample.
    #[inline(always)]
    pub(crate) fn at(&self, index: u64) -> [f64; 6] {
        let bits = mix(self.seed ^ index);
        let pick = |channel: u32| {
            let slot = (bits >> (channel * TABLE_BITS)) as usize & ((1 << TABLE_BITS) - 1);
            self.table[slot]
        };
        [pick(0), pick(1), pick(2), pick(3), pick(4), pick(5)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        for (p, z) in [(0.5, 0.0), (0.841_344_746, 1.0), (0.977_249_868, 2.0), (0.001_349_898, -3.0)] {
            assert!((normal_quantile(p) - z).abs() < 1e-6, "{p}");
        }
    }

    #[test]
    fn channel_noise_is_white_enough() {
        let noise = ChannelNoise::new(7);
        let n = 100_000u64;
        let mut sums = [(0.0f64, 0.0f64); 6];
        let mut cross = 0.0;
        for index in 0..n {
            let now = noise.at(index);
            for (sum, x) in sums.iter_mut().zip(now) {
                *sum = (sum.0 + x, sum.1 + x * x);
            }
            cross += now[0] * now[3];
        }
        for (mean, square) in sums {
            assert!(mean.abs() / (n as f64) < 0.015 && (square / n as f64 - 1.0).abs() < 0.02);
        }
        assert!(cross.abs() / (n as f64) < 0.015);
    }
}
