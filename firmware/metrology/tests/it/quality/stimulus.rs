//! Integers alone: a stimulus that is the same on every processor, and a hash over everything the analysis finds in it.

use meterbench_metrology::{
    Analysis, Config, Found, Frame, ImpulseQuantity, Impulses, MeterConstant, Phasor, State, Systems,
};

/// The hash of [`digits`] on every processor. Changes where the arithmetic of the analysis does.
pub(crate) const HASH: u64 = 0x6dcc_1163_d07b_6be2;

/// A sine by rotation, Q30.
struct Rotation {
    now: (i64, i64),
    step: (i64, i64),
}

impl Rotation {
    const ONE: i64 = 1 << 30;

    fn next(&mut self) -> i64 {
        let ((cos, sin), (c, s)) = (self.now, self.step);
        self.now = ((cos * c - sin * s + Self::ONE / 2) >> 30, (cos * s + sin * c + Self::ONE / 2) >> 30);
        sin
    }
}

/// 49.7 Hz with the fifth, the 23rd and the 49th order in three phases, noise, a dip of L1 and an interruption.
pub(crate) struct Stimulus {
    tones: [[(Rotation, i64); 4]; 3],
    noise: u32,
    index: u32,
}

impl Stimulus {
    /// Samples of it.
    pub(crate) const LENGTH: u32 = 24_000;

    pub(crate) fn new() -> Self {
        // cos and sin of 2π·n·49.7/8000 in Q30, n = 1, 5, 23, 49, and the peak of each in a voltage (counts).
        const TONES: [((i64, i64), i64); 4] = [
            ((1_072_923_911, 41_902_106), 4_548_000),
            ((1_053_356_229, 208_235_827), 230_000),
            ((669_306_942, 839_612_841), 90_000),
            ((-359_985_347, 1_011_598_762), 45_000),
        ];
        // A third of a turn back for L2 and on for L3, in the order's own turns.
        const HALF_ROOT_3: i64 = 929_887_697;
        let starts = [(Rotation::ONE, 0), (-Rotation::ONE / 2, -HALF_ROOT_3), (-Rotation::ONE / 2, HALF_ROOT_3)];
        let tones = starts.map(|now| TONES.map(|(step, peak)| (Rotation { now, step }, peak)));
        Self { tones, noise: 1, index: 0 }
    }
}

impl Iterator for Stimulus {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        let mut frame = Frame::default();
        for (phase, tones) in self.tones.iter_mut().enumerate() {
            let gone = (15_000..17_345).contains(&self.index);
            let dips = phase == 0 && (9_000..9_777).contains(&self.index);
            let sum: i64 = tones.iter_mut().map(|(rotation, peak)| (rotation.next() * *peak) >> 30).sum();
            let level = if gone { 0 } else { sum * if dips { 2 } else { 5 } / 5 };
            self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            frame.voltage[phase] = level as i32 + (self.noise >> 22) as i32 - 512;
            frame.current[phase] = (level / 7) as i32 - (self.noise >> 24) as i32;
        }
        self.index += 1;
        (self.index <= Self::LENGTH).then_some(frame)
    }
}

/// FNV-1a over 64 bits.
struct Hash(u64);

impl Hash {
    fn add(&mut self, value: u64) {
        for byte in value.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn add_found(&mut self, found: &Found<'_>) {
        match found {
            Found::HalfCycle(half) => {
                self.add(half.end.nanoseconds());
                self.add(u64::from(half.duration));
                half.voltage_mv.iter().chain(&half.current_ma).for_each(|&v| self.add(u64::from(v)));
            }
            Found::Window(window) => {
                self.add(window.end.nanoseconds());
                self.add(window.duration);
                self.add(u64::from(window.clean));
                window.voltage_mv.iter().chain(&window.current_ma).for_each(|&v| self.add(u64::from(v)));
                window.thd_voltage.iter().chain(&window.thd_current).for_each(|&v| self.add(u64::from(v)));
                if let Some(unbalance) = window.unbalance {
                    [unbalance.negative, unbalance.zero, unbalance.positive_mv]
                        .iter()
                        .for_each(|&v| self.add(u64::from(v)));
                }
                let orders = window.spectrum.iter().flat_map(|s| s.voltage.iter().chain(&s.current)).flatten();
                orders.for_each(|&Phasor { re, im }| {
                    self.add(u64::from(re.to_bits()));
                    self.add(u64::from(im.to_bits()));
                });
            }
        }
    }
}

/// What a three-phase meter finds in the stimulus: a hash over every digit, and how many half cycles and windows. `frame` is told
/// to take each sample.
pub(crate) fn digits(analysis: &mut Analysis, mut frame: impl FnMut(&mut dyn FnMut())) -> (u64, u32, u32) {
    let impulses = Impulses {
        quantity: ImpulseQuantity::Active,
        constant: MeterConstant::new(1000).unwrap(),
        width: Impulses::WIDTH_30_MS,
    };
    let config = Config::new(Systems::Three, &Default::default(), 2300, 79_350, impulses).unwrap();
    let (mut state, mut hash, mut halves, mut windows) = (State::default(), Hash(0xcbf2_9ce4_8422_2325), 0, 0);
    for sample in Stimulus::new() {
        frame(&mut || {
            let _ = config.process_watched(&mut state, analysis, &sample, |found| {
                hash.add_found(&found);
                match found {
                    Found::HalfCycle(_) => halves += 1,
                    Found::Window(_) => windows += 1,
                }
            });
        });
    }
    (hash.0, halves, windows)
}
