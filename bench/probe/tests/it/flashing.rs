//! What stands in the flash, and what the firmware says.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use meterbench_instruments::Clearance;
use meterbench_probe::emulated::{Board, STM32F405, probes};
use meterbench_probe::{Connection, Image, KnownChip, Stage};

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
