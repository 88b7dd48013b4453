//! Firmware made by hand for the emulated chip: an ELF file with a program that its core executes.

use super::FLASH;

/// Number of the machine in an ELF file for Arm.
pub const ARM: u16 = 40;

/// Where the program puts the control block of its log: out of the way of flash algorithms, which begin the RAM.
const LOG: u32 = 0x2001_0000;
const RING: u32 = LOG + 24 + 24;

fn words(into: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| into.extend(value.to_le_bytes()));
}

fn halves(into: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| into.extend(value.to_le_bytes()));
}

/// What goes into the flash: vector table, program, what it copies into the RAM, and filler.
pub fn image(log: &str, bytes: usize) -> Vec<u8> {
    // Control block: identifier, one channel up, none down; the channel: name, ring, size, write, read, flags.
    let mut block = b"SEGGER RTT\0\0\0\0\0\0".to_vec();
    let ring = (log.len() as u32 + 16) & !3;
    words(&mut block, &[1, 0, 0, RING, ring, log.len() as u32, 0, 0]);
    block.extend(log.as_bytes());
    block.resize(48 + ring as usize, 0);
    // Copies `block` word by word from the flash into the RAM, then waits for ever.
    let code: [u16; 10] = [
        0x4804, // ldr  r0, source
        0x4905, // ldr  r1, target
        0x4a05, // ldr  r2, length
        0x6803, // again: ldr r3, [r0]
        0x600b, // str  r3, [r1]
        0x3004, // adds r0, #4
        0x3104, // adds r1, #4
        0x3a04, // subs r2, #4
        0xd1f9, // bne  again
        0xe7fe, // b    .
    ];
    let mut image = Vec::new();
    words(&mut image, &[0x2002_0000, FLASH + 9]);
    halves(&mut image, &code);
    words(&mut image, &[FLASH + 40, LOG, block.len() as u32]);
    assert_eq!(image.len(), 40);
    image.extend(block);
    let mut filler = 0x1234_5678u32;
    while image.len() < bytes {
        filler = filler.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image.push((filler >> 24) as u8);
    }
    image
}

/// An ELF file for a machine, with these bytes at an address and a symbol that names the log.
pub fn elf(machine: u16, address: u32, bytes: &[u8]) -> Vec<u8> {
    const NAMES: &[u8] = b"\0_SEGGER_RTT\0.defmt\0";
    let data = 52 + 32;
    let symbols = (data + bytes.len() as u32).next_multiple_of(4);
    let names = symbols + 32;
    let sections = (names + NAMES.len() as u32).next_multiple_of(4);
    let mut file = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    halves(&mut file, &[2, machine]);
    words(&mut file, &[1, FLASH + 9, 52, sections, 0x0500_0200]);
    halves(&mut file, &[52, 32, 1, 40, 4, 3]);
    // One loadable segment.
    words(&mut file, &[1, data, address, address, bytes.len() as u32, bytes.len() as u32, 5, 4]);
    file.extend(bytes);
    file.resize(symbols as usize, 0);
    // The empty symbol, and the log: an object in section 1.
    words(&mut file, &[0, 0, 0, 0, 1, LOG, 48]);
    halves(&mut file, &[0x0011, 1]);
    file.extend(NAMES);
    file.resize(sections as usize, 0);
    // Sections: none, the program, the symbols, their names.
    words(&mut file, &[0; 10]);
    words(&mut file, &[0, 1, 2, address, data, bytes.len() as u32, 0, 0, 4, 0]);
    words(&mut file, &[0, 2, 0, 0, symbols, 32, 3, 1, 4, 16]);
    words(&mut file, &[0, 3, 0, 0, names, NAMES.len() as u32, 0, 0, 1, 0]);
    file
}

/// The same file as a firmware that logs with defmt: its first section carries that name.
pub fn with_defmt(mut elf: Vec<u8>) -> Vec<u8> {
    let sections = u32::from_le_bytes([elf[32], elf[33], elf[34], elf[35]]) as usize;
    elf[sections + 40] = 13;
    elf
}
