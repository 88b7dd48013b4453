//! Every way it goes wrong: the words, and what stands in the flash afterwards.

use std::collections::BTreeSet;
use std::path::Path;

use meterbench_instruments::Clearance;
use meterbench_probe::emulated::firmware::{ARM, elf, image};
use meterbench_probe::emulated::{Board, Cut, FLASH, STM32F405, STM32F427, StuckBit, probes};
use meterbench_probe::{Connection, Image, KnownChip, ProbeError, Probes};

use crate::files::Files;

const CHIP: &str = "STM32F405RG";

/// Everything that `flash` does with a file, a chip and the probes that are there.
fn flash(file: &Path, chip: &str, probes: &Probes, selector: Option<&str>) -> Result<(), ProbeError> {
    let chip = KnownChip::named(chip)?;
    let image = Image::read(file, &chip)?;
    Connection::open(probes, selector, &chip, Clearance::isolated())?.flash(&image, &|_| {})
}

/// The words for a sound firmware at this board, and that nothing was written if nothing was.
fn refused(board: &Board) -> String {
    let files = Files::new();
    let (file, _) = files.firmware("", 5000);
    let error = flash(&file, CHIP, &probes(&[("1", board)]), None).unwrap_err();
    assert!(!error.is_argument(), "{error}");
    error.to_string()
}

fn is_untouched(board: &Board) -> bool {
    board.flash().iter().all(|byte| *byte == 0x5a)
}

#[test]
fn without_a_probe() {
    let (files, none) = (Files::new(), probes(&[]));
    let (file, _) = files.firmware("", 100);
    let words = |selector| flash(&file, CHIP, &none, selector).unwrap_err().to_string();
    assert_eq!(
        words(None),
        "no debug probe is connected; connect one by USB, and on Linux give your user access to it by a udev rule"
    );
    assert_eq!(
        words(Some("0483:374b:06")),
        "no debug probe is connected that is `0483:374b:06`; connect one by USB, and on Linux give your user access to \
         it by a udev rule"
    );
    assert_eq!(
        words(Some("stlink")),
        "`stlink` is no probe; write VID:PID or VID:PID:SERIAL, such as `0483:374b:066DFF48`"
    );
}

#[test]
fn of_several_probes_one_must_be_chosen() {
    let (files, left, right) = (Files::new(), Board::new(STM32F405), Board::new(STM32F405));
    let (file, image) = files.firmware("", 100);
    let both = probes(&[("A7", &left), ("B8", &right)]);
    assert_eq!(
        flash(&file, CHIP, &both, None).unwrap_err().to_string(),
        "2 debug probes are connected and none is chosen; choose one:\n  \
         --probe 0d28:0204:A7   Emulated CMSIS-DAP\n  \
         --probe 0d28:0204:B8   Emulated CMSIS-DAP"
    );
    assert!(is_untouched(&left) && is_untouched(&right));
    flash(&file, CHIP, &both, Some("0d28:0204:B8")).unwrap();
    assert!(is_untouched(&left));
    assert_eq!(right.flash()[..100], image[..100]);
}

#[test]
fn a_chip_of_another_kind() {
    let board = Board::new(STM32F427);
    assert_eq!(
        refused(&board),
        "the probe Emulated CMSIS-DAP (0d28:0204:1) reaches 0x419, STM32F42x, F43x, not STM32F405RG (0x413, STM32F405, \
         F407, F415, F417); another meter is in the position, or the chip is named wrongly. Nothing was written"
    );
    assert!(is_untouched(&board));
}

#[test]
fn a_chip_with_less_flash() {
    let board = Board::new(STM32F405).with_flash(512);
    assert_eq!(
        refused(&board),
        "the chip at the probe Emulated CMSIS-DAP (0d28:0204:1) has 512 KiB of flash, STM32F405RG has 1024 KiB; name \
         the chip that it is. Nothing was written"
    );
    assert!(is_untouched(&board));
}

#[test]
fn a_locked_chip() {
    let board = Board::new(STM32F405).protect();
    assert_eq!(
        refused(&board),
        "the chip at the probe Emulated CMSIS-DAP (0d28:0204:1) is locked (read protection level 1); set it to level 0 \
         with the tool of its manufacturer, which erases everything in it, and flash again. Nothing was written"
    );
    assert!(is_untouched(&board));
}

#[test]
fn a_board_without_supply() {
    let board = Board::new(STM32F405).unpowered();
    assert_eq!(
        refused(&board),
        "no chip answers the probe Emulated CMSIS-DAP (0d28:0204:1); check the cable and the supply of the board: with \
         its voltage off a meter needs another supply. A chip with read protection level 2 never answers again"
    );
    assert!(is_untouched(&board));
}

#[test]
fn a_worn_cell_is_found_by_reading_back() {
    for (bit, value) in [(0, true), (0, false), (7, true), (7, false)] {
        // A cell can only be told from a sound one where the firmware wants the other value.
        let address = FLASH + (3000..).find(|n| image("", 5000)[*n] >> bit & 1 == u8::from(!value)).unwrap() as u32;
        let board = Board::new(STM32F405).with_stuck(StuckBit { address, bit, value });
        let written = image("", 5000)[(address - FLASH) as usize];
        let read = written ^ 1 << bit;
        assert_eq!(
            refused(&board),
            format!(
                "{address:#010x} reads {read:#04x} and was written {written:#04x}, 1 of 5000 bytes differ: the flash does \
                 not hold what is written. The meter must not be used; flash it once more, and replace the chip if it \
                 fails again"
            )
        );
    }
}

#[test]
fn a_supply_that_goes_away_at_any_moment_is_never_a_success() {
    let whole = Board::new(STM32F405);
    let files = Files::new();
    let (file, image) = files.firmware("", 5000);
    flash(&file, CHIP, &probes(&[("1", &whole)]), None).unwrap();
    let mut words = BTreeSet::new();
    for part in 0..24 {
        let board = Board::new(STM32F405);
        board.cut_after(whole.transfers() * part / 24, if part % 2 == 0 { Cut::Power } else { Cut::Usb });
        match flash(&file, CHIP, &probes(&[("1", &board)]), None) {
            Err(error) => _ = words.insert(error.to_string()),
            // The very last transfers only let go of a chip that has already started.
            Ok(()) => assert!(board.flash()[..image.len()] == image, "{part}"),
        }
    }
    let known = [
        "the chip fell silent while erasing: the firmware in the meter is not complete and must not be used; check \
         its supply and the cable, and flash again",
        "the chip fell silent while reading back: what was written is not proven and must not be used; check its \
         supply and the cable, and flash again",
        "the chip fell silent while writing: the firmware in the meter is not complete and must not be used; check \
         its supply and the cable, and flash again",
        "the chip fell silent while starting the firmware: the firmware is complete, and has not been started; check its \
         supply and the cable, and flash again",
        "the probe was unplugged while connecting, nothing was written; plug it in and flash again",
        "the probe was unplugged while erasing: the firmware in the meter is not complete and must not be used; plug \
         it in and flash again",
        "the probe was unplugged while reading back: what was written is not proven and must not be used; plug it in \
         and flash again",
        "the probe was unplugged while starting the firmware: the firmware is complete, and has not been started; \
         plug it in and flash again",
        "the probe was unplugged while writing: the firmware in the meter is not complete and must not be used; plug \
         it in and flash again",
    ];
    // Which moments are met depends on how probe-rs divides its transfers; the words do not.
    let unknown: Vec<&String> =
        words.iter().filter(|text| !known.contains(&text.as_str()) && !text.starts_with("no chip answers")).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    assert!(words.len() >= 5, "{words:#?}");
}

#[test]
fn a_probe_that_is_pulled_before_anything_is_written() {
    let board = Board::new(STM32F405);
    board.cut_after(20, Cut::Usb);
    assert_eq!(
        refused(&board),
        "the probe was unplugged while connecting, nothing was written; plug it in and flash again"
    );
    assert!(is_untouched(&board));
}

#[test]
fn files_that_are_no_firmware_for_this_chip() {
    let (files, board) = (Files::new(), Board::new(STM32F405));
    let words = |name: &str, bytes: &[u8]| {
        let file = files.with(name, bytes);
        let error = flash(&file, CHIP, &probes(&[("1", &board)]), None).unwrap_err();
        assert!(error.is_argument(), "{error}");
        files.strip(&error.to_string())
    };
    assert_eq!(
        words("meter.hex", b":020000040800F2\n"),
        "meter.hex is no ELF file; give the ELF of the firmware, as the linker writes it"
    );
    assert_eq!(
        words("cut.elf", &elf(ARM, FLASH, &image("", 5000))[..3000]),
        "cut.elf is no ELF file; give the ELF of the firmware, as the linker writes it"
    );
    assert_eq!(
        words("host.elf", &elf(3, FLASH, &image("", 100))),
        "host.elf is built for i386, and the chip is a 32-bit Arm; build it for `thumbv7em-none-eabihf`"
    );
    assert_eq!(
        words("other.elf", &elf(ARM, 0x0001_0000, &image("", 500))),
        "other.elf puts 500 bytes at 0x00010000, outside the flash of STM32F405RG (0x08000000 to 0x080fffff); link it \
         with the memory map of STM32F405RG"
    );
    assert_eq!(
        words("long.elf", &elf(ARM, FLASH + 0x000f_ff00, &image("", 500))),
        "long.elf puts 500 bytes at 0x080fff00, outside the flash of STM32F405RG (0x08000000 to 0x080fffff); link it \
         with the memory map of STM32F405RG"
    );
    assert_eq!(
        words("empty.elf", &elf(ARM, FLASH, &[])),
        "empty.elf has nothing to put into the flash; link it with the memory map of STM32F405RG"
    );
    assert_eq!(board.transfers(), 0, "no file touched the chip");
}

#[test]
fn a_file_that_is_not_there() {
    let error = flash(Path::new("nowhere/meter.elf"), CHIP, &probes(&[]), None).unwrap_err();
    assert_eq!(error.to_string(), "nowhere/meter.elf cannot be read: No such file or directory (os error 2)");
}

#[test]
fn chips_by_name() {
    let words = |name| KnownChip::named(name).map(|chip| chip.name).map_err(|error| error.to_string());
    assert_eq!(words("stm32f405rg").unwrap(), "STM32F405RG");
    assert_eq!(words("STM32F405RGTx").unwrap(), "STM32F405RGTX");
    assert_eq!(words("STM32F405XX"), Err("there is no chip `STM32F405XX`; known are chips of the STM32F4 family, such as STM32F405RG; with STM32F405 begin STM32F405OE, STM32F405OG, STM32F405RG, STM32F405VG, STM32F405ZG".to_owned()));
    assert_eq!(
        words("meter"),
        Err("there is no chip `meter`; known are chips of the STM32F4 family, such as STM32F405RG".to_owned())
    );
    assert_eq!(
        words("nRF52840_xxAA"),
        Err("the identity of a nRF52840_xxAA cannot be checked, so that another chip could be written to; this version \
             knows the STM32F4, such as STM32F405RG"
            .to_owned())
    );
}
