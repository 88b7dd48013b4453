//! How many frames of 120 octets of information one core writes, reads and finds in a stream per second. Prints the
//! figures; asserts nothing about them.

use std::hint::black_box;
use std::time::Instant;

use meterbench_iec62056::hdlc::{Address, Control, Delimiter, FRAME_OVERHEAD, Frame};

const INFORMATION: usize = 120;
const LINE: usize = INFORMATION + FRAME_OVERHEAD;

/// The best of five rounds of so many repetitions.
fn print_rate(what: &str, mut repeat: impl FnMut(u32) -> usize) {
    const ROUNDS: u32 = 400_000;
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let started = Instant::now();
        let mut octets = 0;
        for round in 0..ROUNDS {
            octets += repeat(round);
        }
        assert_eq!(black_box(octets) % ROUNDS as usize, 0);
        best = best.min(started.elapsed().as_secs_f64() / f64::from(ROUNDS));
    }
    println!("{what}: {:.0} frames/s, {:.0} ns per frame", 1.0 / best, best * 1e9);
}

fn main() {
    let information: [u8; INFORMATION] = core::array::from_fn(|n| n as u8 ^ 0x55);
    let frame = |round: u32| Frame {
        segmented: false,
        destination: Address::two(1, 17).expect("in range"),
        source: Address::PUBLIC_CLIENT,
        control: Control::Information { send: round as u8 & 7, receive: 0, poll: true },
        information: &information,
    };
    let mut line = [0; LINE];
    print_rate("encode", |round| frame(round).encode(black_box(&mut line)).expect("fits"));

    let lines: Vec<Vec<u8>> = (0..8)
        .map(|round| {
            let length = frame(round).encode(&mut line).expect("fits");
            line[..length].to_vec()
        })
        .collect();
    print_rate("decode", |round| Frame::decode(black_box(&lines[round as usize & 7])).expect("right").1);

    let mut delimiter = Delimiter::<300>::default();
    print_rate("find in a stream", |round| {
        let taken = delimiter.push(black_box(&lines[round as usize & 7]));
        delimiter.frame().map_or(0, |_| taken)
    });
    print_rate("encode and decode", |round| {
        frame(round).encode(&mut line).expect("fits");
        Frame::decode(black_box(&line)).expect("right").1
    });
}
