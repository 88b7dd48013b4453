//! How many frames of 120 octets of information one core writes, reads and finds in a stream per second. Prints the
//! figures; asserts nothing about them. With the argument `octets` it prints the frames, in hexadecimal, for
//! `.ci/protocol-speed`.

use std::hint::black_box;
use std::time::Instant;

use meterbench_iec62056::hdlc::{Address, Control, Delimiter, FRAME_OVERHEAD, Frame};

const INFORMATION: usize = 120;
const LINE: usize = INFORMATION + FRAME_OVERHEAD;

/// The best of several rounds of so many repetitions.
fn print_rate(what: &str, mut repeat: impl FnMut(u32) -> usize) {
    const ROUNDS: u32 = 10_000;
    let mut best = f64::INFINITY;
    for _ in 0..200 {
        let started = Instant::now();
        let mut octets = 0;
        for round in 0..ROUNDS {
            octets += repeat(round);
        }
        assert_eq!(black_box(octets) % ROUNDS as usize, 0);
        best = best.min(started.elapsed().as_secs_f64() / f64::from(ROUNDS));
    }
    println!("HDLC frame, {what}: {:.0} per second, {:.0} ns", 1.0 / best, best * 1e9);
}

fn main() {
    let information: [u8; INFORMATION] = core::array::from_fn(|n| n as u8 ^ 0x55);
    let frame = |round: u32| Frame {
        segmented: false,
        destination: Address::PUBLIC_CLIENT,
        source: Address::two(1, 17).expect("in range"),
        control: Control::Information { send: round as u8 & 7, receive: 0, poll: true },
        information: &information,
    };
    let mut line = [0; LINE];
    let lines: Vec<Vec<u8>> = (0..8)
        .map(|round| {
            let length = frame(round).encode(&mut line).expect("fits");
            line[..length].to_vec()
        })
        .collect();
    if std::env::args().any(|argument| argument == "octets") {
        for (round, line) in lines.iter().enumerate() {
            let digits: String = line.iter().map(|octet| format!("{octet:02x}")).collect();
            println!("frame {round}: {digits}");
        }
        return;
    }

    print_rate("encoded", |round| frame(round).encode(black_box(&mut line)).expect("fits"));
    print_rate("decoded", |round| Frame::decode(black_box(&lines[round as usize & 7])).expect("right").1);

    let mut delimiter = Delimiter::<300>::default();
    print_rate("found in a stream", |round| {
        let taken = delimiter.push(black_box(&lines[round as usize & 7]));
        delimiter.frame().map_or(0, |_| taken)
    });
    print_rate("encoded and decoded", |round| {
        frame(round).encode(&mut line).expect("fits");
        Frame::decode(black_box(&line)).expect("right").1
    });
}
