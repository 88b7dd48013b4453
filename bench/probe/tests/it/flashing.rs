//! What stands in the flash, and what the firmware says.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use meterbench_instruments::{Clearance, Programmer};
use meterbench_probe::emulated::firmware::{ARM, elf, image, with_defmt};
use meterbench_probe::emulated::{Board, FLASH, STM32F405, probes};
use meterbench_probe::{Connection, Image, KnownChip, ProbeEntry, ProbeProgrammer, Stage, settle};

use crate::files::Files;

#[test]
fn the_flash_holds_the_image_and_the_rest_of_its_sectors_is_erased() {
    let (files, board) = (Files::new(), Board::new(STM32F405));
    let (file, image) = files.firmware("", 40_000);
    let chip = KnownChip::named("STM32F405RG").unwrap();
    let firmware = Image::read(&file, &chip).unwrap();
    let stages = std::cell::RefCell::new(Vec::new());

    let mut connection = Connection::open(&probes(&[("1", &board)]), None, &chip, Clearance::isolated()).unwrap();
    connection.flash(&firmware, &|stage| stages.borrow_mut().push(stage)).unwrap();

    let flash = board.flash();
    assert_eq!(flash[..image.len()], image);
    assert!(flash[image.len()..3 * 16384].iter().all(|byte| *byte == 0xff), "the rest of three sectors");
    assert!(flash[3 * 16384..].iter().all(|byte| *byte == 0x5a), "other sectors keep what they had");
    assert_eq!(board.erased_sectors(), 3);
    assert_eq!(*stages.borrow(), [Stage::Erase, Stage::Write, Stage::ReadBack, Stage::Start]);
    assert_eq!(connection.chip, "STM32F405RG (identity 0x10076413, 1024 KiB)");
    assert_eq!(connection.probe, "Emulated CMSIS-DAP (0d28:0204:1)");
}

#[test]
fn the_firmware_runs_and_its_log_is_read_line_by_line() {
    let (files, board) = (Files::new(), Board::new(STM32F405));
    let chip = KnownChip::named("STM32F405RG").unwrap();
    let mut connection = Connection::open(&probes(&[("1", &board)]), None, &chip, Clearance::isolated()).unwrap();
    for log in ["boot: meter 0.1\nboot: 3 phases\n", "another firmware\n"] {
        let (file, _) = files.firmware(log, 1000);
        let firmware = Image::read(&file, &chip).unwrap();
        connection.flash(&firmware, &|_| {}).unwrap();
        assert_eq!(lines(&mut connection, &firmware, log.lines().count()), log.lines().collect::<Vec<_>>());
    }
}

#[test]
fn the_log_of_an_earlier_firmware_does_not_pass_for_a_new_one() {
    let (files, board) = (Files::new(), Board::new(STM32F405));
    let chip = KnownChip::named("STM32F405RG").unwrap();
    let mut connection = Connection::open(&probes(&[("1", &board)]), None, &chip, Clearance::isolated()).unwrap();
    let (talks, _) = files.firmware("old words\n", 500);
    connection.flash(&Image::read(&talks, &chip).unwrap(), &|_| {}).unwrap();
    // It runs while the bits of another connection pass, and nobody reads what it says.
    drop(connection);
    let mut connection = Connection::open(&probes(&[("1", &board)]), None, &chip, Clearance::isolated()).unwrap();
    // Stack, reset vector, and `b .`: a firmware that says nothing.
    let silent: Vec<u8> =
        [0x2002_0000, FLASH + 9, 0xe7fe_e7fe].iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
    let silent = Image::read(&files.with("silent.elf", &elf(ARM, FLASH, &silent)), &chip).unwrap();
    connection.flash(&silent, &|_| {}).unwrap();
    let begun = Instant::now();
    let each = |line: Option<String>| {
        assert_eq!(line, None);
        if begun.elapsed() > Duration::from_millis(200) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    connection.follow(&silent, each).unwrap();
}

#[test]
fn a_firmware_that_logs_with_defmt_is_told_from_one_that_logs_text() {
    let (files, board) = (Files::new(), Board::new(STM32F405));
    let chip = KnownChip::named("STM32F405RG").unwrap();
    let file = files.with("defmt.elf", &with_defmt(elf(ARM, FLASH, &image("", 500))));
    let firmware = Image::read(&file, &chip).unwrap();
    let mut connection = Connection::open(&probes(&[("1", &board)]), None, &chip, Clearance::isolated()).unwrap();
    connection.flash(&firmware, &|_| {}).unwrap();
    let told = ["(this firmware logs with defmt, which this version does not decode)"];
    assert_eq!(lines(&mut connection, &firmware, 2), told);
}

#[test]
fn a_run_that_is_broken_off_does_not_leave_half_a_firmware() {
    let (files, board) = (Files::new(), Board::new(STM32F405));
    let (file, image) = files.firmware("", 60_000);
    let entry = ProbeEntry { chip: "STM32F405RG".into(), selector: None, isolated: true };
    let mut programmer = ProbeProgrammer::new("the probe", entry, probes(&[("1", &board)]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let broken_off = runtime.block_on(async {
        let flashing = programmer.flash(&file, Clearance::isolated());
        tokio::time::timeout(Duration::ZERO, flashing).await.is_err()
    });
    assert!(broken_off, "the time was over before the firmware was written");
    drop(programmer);
    settle();
    assert_eq!(board.flash()[..image.len()], image);
}

fn lines(connection: &mut Connection, firmware: &Image, count: usize) -> Vec<String> {
    let (mut lines, begun) = (Vec::new(), Instant::now());
    let each = |line: Option<String>| {
        lines.extend(line);
        let enough = lines.len() == count || begun.elapsed() > Duration::from_secs(5);
        if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    connection.follow(firmware, each).unwrap();
    lines
}
