//! The way of an impulse on the board: captures, frames, metrology that is late at the end of each window, edges of the timer.

use meterbench_meter::Action;
use meterbench_metrology::{Frame, Impulse, SampleInstant};
use meterbench_stm32_f405::converter::{Mender, decode};
use meterbench_stm32_f405::nameplate;
use meterbench_stm32_f405::pulse::{Edge, Pulse, Sequencer};
use meterbench_stm32_f405::timebase::{LATENCY, Timebase};

const TICKS_PER_SECOND: u32 = 60_000_000;
/// The crystals of converter and processor are 37 ppm apart.
const TICKS_PER_SAMPLE: f64 = 7500.0 * (1.0 + 37e-6);
/// Samples that the metrology lags behind at the end of a window, of which there is one in 200 ms.
const LAG: u64 = 13;

/// A frame as an ADS131M08 sends it.
fn raw(frame: &Frame) -> [u8; 30] {
    let mut bytes = [0; 30];
    bytes[..2].copy_from_slice(&0x813Fu16.to_be_bytes());
    for (word, channel) in bytes[3..].chunks_exact_mut(3).zip(frame.voltage.iter().chain(&frame.current)) {
        word.copy_from_slice(&channel.to_be_bytes()[1..]);
    }
    let sum = crc::Crc::<u16>::new(&crc::CRC_16_IBM_3740).checksum(&bytes[..27]);
    bytes[27..29].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// 50 Hz, 230 V and 100 A in three phases: the highest rate of impulses at Un.
fn frame(n: u64) -> Frame {
    let wave = |peak: f64, phase: usize| {
        let turn = n as f64 / 160.0 - phase as f64 / 3.0;
        (peak * (std::f64::consts::TAU * turn).sin()).round() as i32
    };
    let of = |peak| core::array::from_fn(|phase| wave(peak, phase));
    Frame { voltage: of(4_547_500.0), current: of(5_931_600.0) }
}

/// Tick (without turns of the counter) at which data ready of a sample falls.
fn tick(sample: f64) -> f64 {
    4_200_000_000.0 + sample * TICKS_PER_SAMPLE
}

/// What the shell does with the frames that wait, and what the timer does by itself.
#[derive(Default)]
struct Board {
    sequencer: Sequencer,
    held: Option<Edge>,
    /// Edges put out, and how many of them were given to the timer too late.
    edges: Vec<Edge>,
    late: u32,
}

impl Board {
    fn hold(&mut self, edge: Option<Edge>, now: u32) {
        self.held = edge;
        self.late += u32::from(edge.is_some_and(|edge| edge.is_past(now)));
    }

    /// The counter runs up to this tick.
    fn run(&mut self, now: u32) {
        while let Some(edge) = self.held.filter(|edge| edge.is_past(now)) {
            self.edges.push(edge);
            let next = self.sequencer.reached();
            self.hold(next, edge.tick());
        }
    }
}

#[test]
fn every_impulse_leaves_at_its_instant_though_the_metrology_is_late() {
    let mut meter = nameplate::meter().unwrap();
    let (mut timebase, mut mender, mut board) = (Timebase::new(TICKS_PER_SECOND), Mender::default(), Board::default());
    let mut impulses: Vec<Impulse> = Vec::new();
    let mut waiting = std::collections::VecDeque::new();
    for n in 0..240_000 {
        let now = tick(n as f64) as u64 as u32;
        board.run(now);
        // One frame in a thousand does not arrive whole, one in seven thousand not at all.
        let mut bytes = raw(&frame(n));
        bytes[5] ^= u8::from(n % 1009 == 5);
        if n % 7001 != 77 {
            waiting.push_back((now, bytes));
        }
        if n % 1600 < LAG {
            continue;
        }
        for (captured, bytes) in waiting.drain(..) {
            let due = timebase.sample(captured);
            let whole = decode(&bytes).ok();
            for n in 1..=due {
                let frame = match whole {
                    Some(frame) if n == due => mender.whole(frame),
                    _ => mender.missing(),
                };
                let mut impulse = None;
                meter.process(&[frame], |Action::Impulse(i)| impulse = Some(i));
                if let Some(impulse) = impulse {
                    impulses.push(impulse);
                    let pulse = Pulse { on: timebase.tick(impulse.rise), off: timebase.tick(impulse.fall) };
                    if let edge @ Some(_) = board.sequencer.push(pulse).unwrap() {
                        board.hold(edge, now);
                    }
                }
            }
        }
    }
    let wanted = impulses.iter().flat_map(|i| [i.rise, i.fall]);
    let off = |(at, edge): (SampleInstant, &Edge)| {
        let moment = at.index() as f64 + f64::from(at.fraction()) / 65_536.0 + f64::from(LATENCY);
        f64::from(edge.tick().wrapping_sub(tick(moment) as u64 as u32) as i32).abs()
    };
    let settled = wanted.zip(&board.edges).skip(40);
    let worst = settled.map(off).fold(0.0, f64::max);
    println!("{} edges, {} late, off by {worst} ticks of 16.7 ns at most", board.edges.len(), board.late);
    assert!(board.edges.len() > 1000 && board.edges.len() + 2 >= 2 * impulses.len());
    assert!(board.edges.iter().step_by(2).all(|edge| matches!(edge, Edge::On(_))));
    assert_eq!(board.late, 0);
    assert!(worst <= 5.0);
}
