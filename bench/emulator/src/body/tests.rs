//! Equal digits: the same requests to the firmware in this program and in QEMU, compared after every block.

mod conversation;

use std::path::Path;
use std::sync::{Arc, Mutex};

use meterbench_lockstep::{HEADER, LONGEST_ANSWER, Served};
use meterbench_meter::{Display, TypeNumber};
use meterbench_metrology::{ImpulseQuantity, SampleInstant};

use super::qemu::Process;
use super::*;
use crate::air::Air;
use crate::analogue::{Around, FrontEnd};
use crate::body::lock_step::Link;
use crate::noise::Draw;
use crate::ports::test_identity;
use crate::position::{Pace, Position};
use crate::source::{Output, Phasor, SourceLog};

const THREE_PHASE: &str = "684-2-41D-1312AA70-1B14001";
const SINGLE_PHASE: &str = "686-11-11B-N14-3001-001";
/// Bytes of a samples request before its first frame, and of a frame.
const BEFORE_FRAMES: usize = HEADER + 3 + 9;
const FRAME: usize = 18;

fn qemu() -> Qemu {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    let ours = Qemu::default();
    Qemu { image: Path::new(root).join(&ours.image), ..ours }
}

/// A meter of this type, and as delivered.
fn make(type_number: &str) -> Make {
    let profile = *type_number.parse::<TypeNumber>().unwrap().profile();
    Make { type_number: type_number.into(), profile, identity: test_identity("1001"), configuration: None }
}

/// What the comparison found.
#[derive(Debug, Default)]
struct Compared {
    blocks: u32,
    samples: u32,
    /// First block after which the two differ, and their answers' hashes.
    first_difference: Option<(u32, u64, u64)>,
}

/// Both bodies: every request goes to each, and what they answer is compared byte for byte.
#[derive(Debug)]
struct Both {
    native: Served,
    process: Process,
    /// A sample of this block is lost on the way to QEMU, and the last one comes twice.
    lost_in: Option<u32>,
    compared: Arc<Mutex<Compared>>,
}

impl Link for Both {
    fn exchange(&mut self, request: &[u8], answer: &mut Vec<u8>) -> Result<(), Trouble> {
        let mut compared = self.compared.lock().unwrap();
        let block = compared.blocks;
        let mut sent = request.to_vec();
        let is_samples = sent[HEADER] == 2;
        if self.lost_in == Some(block) {
            assert!(is_samples && sent.len() > BEFORE_FRAMES + 300 * FRAME, "block {block} is short");
            let lost = BEFORE_FRAMES + 17 * FRAME;
            sent.copy_within(lost + FRAME.., lost);
        }
        self.process.exchange(&sent, answer)?;
        let mut expected = vec![0; LONGEST_ANSWER];
        let length = self.native.answer(request, &mut expected);
        expected.truncate(length);
        if *answer != expected {
            compared.first_difference.get_or_insert((block, hash(&expected), hash(answer)));
        }
        compared.blocks += 1;
        compared.samples += u32::from(is_samples);
        // The run goes on as the firmware in this program goes on.
        *answer = expected;
        Ok(())
    }
}

/// The other end of the wire in this program; what goes wrong with this block is up to the test.
#[derive(Debug)]
struct Near {
    served: Served,
    block: u32,
    spoiled: u32,
    spoil: fn(&mut Vec<u8>, &mut Vec<u8>),
}

impl Near {
    fn body(type_number: &str, settings: &Settings, spoiled: u32, spoil: Exchange) -> Result<Body, BodyError> {
        let near = Self { served: Served::new(), block: 0, spoiled, spoil };
        Ok(Body::LockStep(Box::new(LockStep::configure(Box::new(near), &make(type_number), settings)?)))
    }
}

/// Changes the request before the body sees it, when the answer is empty, and the answer after.
type Exchange = fn(&mut Vec<u8>, &mut Vec<u8>);

impl Link for Near {
    fn exchange(&mut self, request: &[u8], answer: &mut Vec<u8>) -> Result<(), Trouble> {
        let mut request = request.to_vec();
        if self.block == self.spoiled {
            (self.spoil)(&mut request, answer);
        }
        answer.resize(LONGEST_ANSWER, 0);
        let length = self.served.answer(&request, answer);
        answer.truncate(length);
        if self.block == self.spoiled {
            (self.spoil)(&mut request, answer);
        }
        self.block += 1;
        Ok(())
    }

    fn last_line(&mut self) -> Option<String> {
        Some("last words".into())
    }
}

#[test]
fn a_body_behind_the_wire_does_what_a_body_here_does() {
    for (type_number, seed) in [(THREE_PHASE, 11), (SINGLE_PHASE, 12)] {
        let near = run(type_number, seed, 30, |settings| Near::body(type_number, settings, u32::MAX, |_, _| ()));
        let native = run(type_number, seed, 30, |settings| Body::native(&make(type_number), settings));
        let (near, native) = (near.unwrap(), native.unwrap());
        assert_eq!(near, native);
        assert!(!near.1.is_empty());
    }
}

#[test]
fn a_body_out_of_step_is_told_with_its_block_and_last_words() {
    let settings = Settings::delivered();
    let fail = |spoil: Exchange| {
        let mut body = Near::body(THREE_PHASE, &settings, 2, spoil).unwrap();
        body.process(&[Frame::default(); 800], |_| ()).unwrap();
        let failure = body.process(&[Frame::default(); 800], |_| ()).unwrap_err();
        let BodyError::Failed(failure) = failure else { panic!("{failure}") };
        assert_eq!((failure.block, failure.last_line.as_deref()), (2, Some("last words")));
        let told = failure.to_string();
        assert!(
            told.contains("at block 2; its last line is `last words`; ") && told.contains("`cargo build"),
            "{told}"
        );
        failure.trouble
    };
    let lost: Exchange = |request, answer| {
        if answer.is_empty() {
            request.truncate(request.len() - FRAME);
            let (length, section) = (request.len() as u32 - 4, request.len() as u16 - HEADER as u16 - 3);
            request[..4].copy_from_slice(&length.to_le_bytes());
            request[HEADER + 1..HEADER + 3].copy_from_slice(&section.to_le_bytes());
        }
    };
    assert_eq!(fail(lost), Trouble::OutOfStep { expected: 1600, found: 1599 });
    let twice: Exchange = |request, answer| {
        if answer.is_empty() {
            request[HEADER + 3] ^= 1;
        }
    };
    assert_eq!(fail(twice), Trouble::Refused(meterbench_lockstep::Refusal::OutOfStep));
    let other: Exchange = |request, answer| {
        if answer.is_empty() {
            request[8] ^= 1;
        }
    };
    assert_eq!(fail(other), Trouble::OtherAnswer);
    let nonsense: Exchange = |_, answer| answer.fill(0x55);
    assert!(matches!(fail(nonsense), Trouble::Wire(_)));
    let no_status: Exchange = |_, answer| {
        answer.truncate(HEADER);
        if let Some(length) = answer.get_mut(..4) {
            length.copy_from_slice(&8u32.to_le_bytes());
        }
    };
    assert_eq!(fail(no_status), Trouble::OtherAnswer);
}

#[test]
fn what_a_meter_refuses_breaks_nothing() {
    const IMPORT_ONLY: &str = "686-11-11B-N11-3001-001";
    let mut body = Near::body(IMPORT_ONLY, &Settings::delivered(), u32::MAX, |_, _| ()).unwrap();
    let refused = body.select_output(ImpulseQuantity::Reactive);
    assert!(matches!(refused, Err(BodyError::Meter(MeterError::NoReactiveEnergy))), "{refused:?}");
    assert!(body.select_output(ImpulseQuantity::Active).is_ok());
    assert!(body.process(&[Frame::default(); 8], |_| ()).is_ok());
}

/// The hash in an answer: of its last section, before the two bytes of state.
fn hash(answer: &[u8]) -> u64 {
    u64::from_le_bytes(answer[answer.len() - 10..answer.len() - 2].try_into().unwrap())
}

/// A random course of loads and its end (samples).
fn course(seed: u64, seconds: u64) -> (SourceLog, u64) {
    let (draw, mut source) = (Draw::of(seed, "equal digits"), SourceLog::default());
    for second in (0..seconds).step_by(4) {
        let mut output = Output { hertz: 48.0 + 4.0 * draw.uniform("hertz", second), ..Output::default() };
        for phase in 0..3u64 {
            let (n, turn) = (3 * second + phase, 120.0 * phase as f64);
            let volt = 200.0 + 60.0 * draw.uniform("volt", n);
            let ampere = 10f64.powf(-2.0 + 4.0 * draw.uniform("ampere", n));
            output.voltage[phase as usize] = Phasor { rms: volt, lag_deg: turn };
            output.current[phase as usize] = Phasor { rms: ampere, lag_deg: turn + 360.0 * draw.uniform("lag", n) };
        }
        source.ramp_to(8000 * second + second % 7, &output);
        // Two seconds without power, now and then.
        if second % 12 == 8 {
            source.set(8000 * second + 16_000, Output { hertz: 50.0, ..Output::default() });
        }
    }
    (source, 8000 * seconds)
}

/// Registers as shown, and every edge.
type Outcome = ([Option<Display>; 4], Vec<SampleInstant>);

/// Runs a meter over a course, in samples and in windows by turns.
fn run(
    type_number: &str,
    seed: u64,
    seconds: u64,
    make: impl FnOnce(&Settings) -> Result<Body, BodyError>,
) -> Result<Outcome, BodyError> {
    let (source, end) = course(seed, seconds);
    let air = Air::new(23.0);
    let profile = *type_number.parse::<TypeNumber>().unwrap().profile();
    let front_end = FrontEnd::drawn(seed, "1001", (230.0, 50.0));
    let mut position = Position::with_body(&profile, &Settings::delivered(), front_end, &[], seed, 23.0, make)?;
    let around = Around { source: &source, air: &air };
    for piece in 1..=10 {
        let pace = if piece % 2 == 0 { Pace::Dwell } else { Pace::Samples };
        position.advance(around, end * piece / 10, pace, u64::MAX / 2);
        if piece == 5 {
            position.select_output(ImpulseQuantity::Reactive)?;
        }
    }
    position.advance(around, end, Pace::Samples, u64::MAX / 2);
    if let Some(failure) = position.failure() {
        return Err(failure.clone());
    }
    let shown = [1, 2, 3, 4].map(|c| position.display([c, 8, 0]));
    Ok((shown, position.take_edges()))
}

fn compare(
    type_number: &str,
    seed: u64,
    seconds: u64,
    image: &Path,
    lost_in: Option<u32>,
) -> (Compared, Result<Outcome, BodyError>) {
    let compared = Arc::new(Mutex::new(Compared::default()));
    let kept = compared.clone();
    let outcome = run(type_number, seed, seconds, |settings| {
        let process = Qemu { image: image.to_owned(), ..qemu() }.start()?;
        let both = Both { native: Served::new(), process, lost_in, compared };
        Ok(Body::LockStep(Box::new(LockStep::configure(Box::new(both), &make(type_number), settings)?)))
    });
    (std::mem::take(&mut kept.lock().unwrap()), outcome)
}

#[test]
#[ignore = "needs qemu-system-arm and the image; .ci/run runs them"]
fn native_and_qemu_give_equal_digits_after_every_block() {
    for (type_number, seeds, seconds) in [(THREE_PHASE, 0..4, 60), (SINGLE_PHASE, 4..6, 30)] {
        for seed in seeds {
            let (compared, outcome) = compare(type_number, seed, seconds, &qemu().image, None);
            assert_eq!(compared.first_difference, None, "{type_number}, course {seed}");
            let Compared { blocks, samples, .. } = compared;
            assert!(samples > 100 && blocks - samples > 10, "{compared:?}");
            let native = run(type_number, seed, seconds, |settings| Body::native(&make(type_number), settings));
            let (outcome, native) = (outcome.unwrap(), native.unwrap());
            assert_eq!(outcome, native, "{type_number}, course {seed}");
            println!("{type_number}, course {seed}: {blocks} blocks equal, {} edges", native.1.len());
        }
    }
}

#[test]
#[ignore = "needs qemu-system-arm and the image; .ci/run runs them"]
fn one_sample_lost_is_found_in_its_block() {
    for lost_in in [2, 3, 5, 17, 31] {
        let (compared, _) = compare(THREE_PHASE, 1, 40, &qemu().image, Some(lost_in));
        let (block, native, other) = compared.first_difference.expect("a sample was lost");
        println!("a sample lost in block {lost_in}: first different block {block}, {native:#018x} and {other:#018x}");
        assert_eq!(block, lost_in);
    }
}

#[test]
#[ignore = "needs qemu-system-arm and the image; .ci/run runs them"]
fn one_wrong_bit_in_a_product_is_found() {
    let image = std::fs::read(qemu().image).expect("the image");
    let products = long_products(&image);
    assert!(products.len() >= 3, "{products:?}");
    let directory = std::env::temp_dir();
    let mut found = 0;
    for at in products {
        let mut wrong = image.clone();
        // SMLAL becomes UMLAL: a factor below zero counts as one above.
        wrong[at] ^= 0x20;
        let path = directory.join(format!("meterbench-wrong-{}-{at:x}", std::process::id()));
        std::fs::write(&path, &wrong).expect("it can be written");
        let (compared, ended) = compare(THREE_PHASE, 2, 4, &path, None);
        std::fs::remove_file(path).expect("it is ours");
        match (compared.first_difference, ended) {
            // Blocks 0 and 1 configure the meter and its clock; noise alone has factors below zero.
            (Some((block, native, other)), _) => {
                println!("one bit at byte {at:#x}: first different block {block}, {native:#018x} and {other:#018x}");
                assert_eq!(block, 2, "byte {at:#x}");
                found += 1;
            }
            // What only looks like a product can be the way of the program: a broken body, and told as one.
            (None, Err(error)) => println!("one bit at byte {at:#x}: {error}"),
            (None, Ok(_)) => println!("one bit at byte {at:#x}: no sample comes by"),
        }
    }
    // Energy, and the sums of the detector: each system multiplies u and i by themselves, by each other and by both references.
    assert!(found >= 7, "{found} products on the way of a sample");
}

/// Where the machine multiplies two signed numbers and adds the product to a long sum: `SMLAL`, T1.
///
/// Source: Arm, ARMv7-M Architecture Reference Manual, A7.7 (encodings of SMLAL and UMLAL).
fn long_products(image: &[u8]) -> Vec<usize> {
    let half = |at: usize| u16::from_le_bytes([image[at], image[at + 1]]);
    let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
    let (headers, count) = (word(28) as usize, usize::from(half(44)));
    let mut found = Vec::new();
    for header in (0..count).map(|n| headers + 32 * n) {
        let (kind, offset, size, flags) = (word(header), word(header + 4), word(header + 16), word(header + 24));
        // Loaded and executable.
        if kind == 1 && flags & 1 == 1 {
            let end = (offset + size) as usize - 4;
            let is_product = |at: &usize| half(*at) & 0xfff0 == 0xfbc0 && half(at + 2) & 0x00f0 == 0;
            found.extend((offset as usize..end).step_by(2).filter(is_product));
        }
    }
    found
}

#[test]
fn what_is_no_image_for_arm_is_refused_before_anything_runs() {
    let directory = tempfile::tempdir().unwrap();
    let refused = |name: &str, bytes: &[u8]| {
        let image = directory.path().join(name);
        std::fs::write(&image, bytes).unwrap();
        Qemu { image, ..Qemu::default() }.check().expect_err("it is no image").to_string()
    };
    let mut other = *b"\x7fELF\x02\x01\0\0\0\0\0\0\0\0\0\0\x02\0\x3e\0";
    assert!(refused("empty", b"").contains("is no ELF file for ARM"));
    assert!(refused("other", &other).contains("is no ELF file for ARM"));
    (other[4], other[18]) = (1, 40);
    let image = directory.path().join("whole");
    std::fs::write(&image, other).unwrap();
    let said = Qemu { image, ..Qemu::default() }.check().map_err(|error| error.to_string());
    assert!(said.is_ok() || said.unwrap_err().contains("not in PATH"));
    let folder = Qemu { image: directory.path().into(), ..Qemu::default() };
    assert!(folder.check().is_err());
}

#[test]
fn a_missing_image_is_told_with_the_command_that_builds_it() {
    let missing = Qemu { image: "/nowhere/qemu-f405".into(), ..Qemu::default() };
    let told = missing.check().expect_err("it is not there").to_string();
    assert!(told.contains("/nowhere/qemu-f405") && told.contains("cargo build --release"), "{told}");
}
