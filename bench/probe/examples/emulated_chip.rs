//! Flashes an image into an emulated STM32F405: whether `flash` takes the image of the board, without the board.

use std::path::Path;
use std::process::ExitCode;

use meterbench_instruments::Clearance;
use meterbench_probe::emulated::{Board, FLASH, STM32F405, probes};
use meterbench_probe::{Connection, Image, KnownChip, ProbeError};

fn main() -> ExitCode {
    let Some(file) = std::env::args().nth(1) else {
        eprintln!("usage: emulated_chip IMAGE");
        return ExitCode::from(2);
    };
    match flash(Path::new(&file)) {
        Ok(sound) if sound => ExitCode::SUCCESS,
        Ok(_) => {
            eprintln!("error: the flash does not begin with a vector table");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether what stands in the flash begins with a stack in RAM and a reset vector in the flash.
fn flash(file: &Path) -> Result<bool, ProbeError> {
    let board = Board::new(STM32F405);
    let chip = KnownChip::named("STM32F405RG")?;
    let image = Image::read(file, &chip)?;
    let mut connection = Connection::open(&probes(&[("1", &board)]), None, &chip, Clearance::isolated())?;
    connection.flash(&image, &|stage| println!("{stage}"))?;
    let flash = board.flash();
    let word = |at: usize| u32::from_le_bytes([flash[at], flash[at + 1], flash[at + 2], flash[at + 3]]);
    let (stack, reset) = (word(0), word(4));
    println!(
        "{} bytes read back, {} sectors erased, {} transfers; stack {stack:#010x}, reset {reset:#010x}",
        image.bytes(),
        board.erased_sectors(),
        board.transfers()
    );
    let in_flash = (FLASH..FLASH + 0x10_0000).contains(&reset) && reset & 1 == 1;
    Ok(in_flash && (0x1000_0000..0x2002_0001).contains(&stack))
}
