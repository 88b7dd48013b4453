//! The core: executes the 16-bit Thumb instructions, and `bl`, from the memory of the chip.
//!
//! That is what the flash algorithms of probe-rs are made of. What else a program may use (the rest of Thumb-2,
//! interrupts) ends in a lock-up, as an undefined instruction does on the chip.

use super::memory::{BusFault, Memory};

/// Number of the stack pointer, link register and program counter.
pub(super) const SP: usize = 13;
const LR: usize = 14;
pub(super) const PC: usize = 15;

/// Registers and flags.
#[derive(Debug, Clone, Default)]
pub(super) struct Core {
    pub(super) r: [u32; 16],
    negative: bool,
    zero: bool,
    carry: bool,
    overflow: bool,
}

/// Why the core does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// `bkpt`; the program counter stays at it.
    Breakpoint,
    /// A fault with nobody to handle it.
    LockUp,
}

impl From<BusFault> for Stop {
    fn from(_: BusFault) -> Self {
        Self::LockUp
    }
}

impl Core {
    /// Status register as a debugger reads it.
    pub(super) fn status(&self) -> u32 {
        let bit = |set: bool, place: u32| u32::from(set) << place;
        bit(self.negative, 31) | bit(self.zero, 30) | bit(self.carry, 29) | bit(self.overflow, 28) | bit(true, 24)
    }

    pub(super) fn set_status(&mut self, value: u32) {
        let bit = |place: u32| value >> place & 1 == 1;
        (self.negative, self.zero, self.carry, self.overflow) = (bit(31), bit(30), bit(29), bit(28));
    }

    /// Executes one instruction.
    pub(super) fn step(&mut self, memory: &mut Memory) -> Result<(), Stop> {
        let at = self.r[PC];
        let code = memory.read(at, 2)?;
        if code & 0xff00 == 0xbe00 {
            return Err(Stop::Breakpoint);
        }
        self.r[PC] = at.wrapping_add(2);
        match code >> 12 {
            0 | 1 => self.shift_or_add(code),
            2 | 3 => self.immediate(code),
            4 if code >> 10 == 0b01_0000 => self.arithmetic(code),
            4 if code >> 10 == 0b01_0001 => return self.high_registers(code),
            4 => {
                let address = (at.wrapping_add(4) & !3).wrapping_add((code & 0xff) << 2);
                self.r[field(code, 8)] = memory.read(address, 4)?;
            }
            5 => self.load_store_register(code, memory)?,
            6..=8 => self.load_store_immediate(code, memory)?,
            9 => {
                let address = self.r[SP].wrapping_add((code & 0xff) << 2);
                self.transfer(memory, code >> 11 & 1 == 1, field(code, 8), address, 4)?;
            }
            10 => {
                let base = if code >> 11 & 1 == 1 { self.r[SP] } else { at.wrapping_add(4) & !3 };
                self.r[field(code, 8)] = base.wrapping_add((code & 0xff) << 2);
            }
            11 => self.stack(code, memory)?,
            12 => self.multiple(code, memory)?,
            13 => {
                let condition = code >> 8 & 0xf;
                if condition >= 14 {
                    return Err(Stop::LockUp);
                }
                if self.holds(condition) {
                    self.branch(at, sign_extended(code & 0xff, 8) << 1);
                }
            }
            14 if code >> 11 & 1 == 0 => self.branch(at, sign_extended(code & 0x7ff, 11) << 1),
            _ => {
                let low = memory.read(at.wrapping_add(2), 2)?;
                return self.branch_with_link(at, code, low);
            }
        }
        Ok(())
    }

    /// What can be done with a value and the flags: shifts and the adder.
    fn flags(&mut self, value: u32) -> u32 {
        (self.negative, self.zero) = (value >> 31 == 1, value == 0);
        value
    }

    fn add(&mut self, left: u32, right: u32, carry: bool) -> u32 {
        let wide = u64::from(left) + u64::from(right) + u64::from(carry);
        let value = wide as u32;
        self.carry = wide >> 32 == 1;
        self.overflow = (!(left ^ right) & (left ^ value)) >> 31 == 1;
        self.flags(value)
    }

    fn subtract(&mut self, left: u32, right: u32) -> u32 {
        self.add(left, !right, true)
    }

    /// `kind` 0 left, 1 right, 2 arithmetic right, 3 rotate; by up to 255.
    fn shift(&mut self, kind: u32, value: u32, by: u32) -> u32 {
        if by == 0 {
            return self.flags(value);
        }
        let wide = u64::from(value);
        let (carry, value) = match kind {
            0 if by > 32 => (false, 0),
            0 => (wide << by >> 32 & 1 == 1, (wide << by) as u32),
            1 if by > 32 => (false, 0),
            1 => (wide >> (by - 1) & 1 == 1, (wide >> by) as u32),
            2 => {
                let signed = i64::from(value as i32);
                let by = by.min(32);
                (signed >> (by - 1) & 1 == 1, (signed >> by) as u32)
            }
            _ => {
                let value = value.rotate_right(by & 31);
                (value >> 31 == 1, value)
            }
        };
        self.carry = carry;
        self.flags(value)
    }

    fn shift_or_add(&mut self, code: u32) {
        let source = self.r[field(code, 3)];
        let value = match code >> 11 & 3 {
            3 => {
                let right = if code >> 10 & 1 == 1 { code >> 6 & 7 } else { self.r[field(code, 6)] };
                if code >> 9 & 1 == 1 { self.subtract(source, right) } else { self.add(source, right, false) }
            }
            kind => {
                let by = code >> 6 & 31;
                self.shift(kind, source, if by == 0 && kind > 0 { 32 } else { by })
            }
        };
        self.r[field(code, 0)] = value;
    }

    fn immediate(&mut self, code: u32) {
        let (register, value) = (field(code, 8), code & 0xff);
        let before = self.r[register];
        match code >> 11 & 3 {
            0 => self.r[register] = self.flags(value),
            1 => _ = self.subtract(before, value),
            2 => self.r[register] = self.add(before, value, false),
            _ => self.r[register] = self.subtract(before, value),
        }
    }

    fn arithmetic(&mut self, code: u32) {
        let target = field(code, 0);
        let (left, right) = (self.r[target], self.r[field(code, 3)]);
        let value = match code >> 6 & 0xf {
            0 => self.flags(left & right),
            1 => self.flags(left ^ right),
            2 => self.shift(0, left, right & 0xff),
            3 => self.shift(1, left, right & 0xff),
            4 => self.shift(2, left, right & 0xff),
            5 => self.add(left, right, self.carry),
            6 => self.add(left, !right, self.carry),
            7 => self.shift(3, left, right & 0xff),
            8 => {
                self.flags(left & right);
                return;
            }
            9 => self.subtract(0, right),
            10 => {
                self.subtract(left, right);
                return;
            }
            11 => {
                self.add(left, right, false);
                return;
            }
            12 => self.flags(left | right),
            13 => self.flags(left.wrapping_mul(right)),
            14 => self.flags(left & !right),
            _ => self.flags(!right),
        };
        self.r[target] = value;
    }

    fn high_registers(&mut self, code: u32) -> Result<(), Stop> {
        let (target, source) = ((code & 7 | code >> 4 & 8) as usize, (code >> 3 & 0xf) as usize);
        let here = self.r[PC].wrapping_add(2);
        let read = |core: &Self, n: usize| if n == PC { here } else { core.r[n] };
        let (left, right) = (read(self, target), read(self, source));
        match code >> 8 & 3 {
            0 => self.write(target, left.wrapping_add(right)),
            1 => _ = self.subtract(left, right),
            2 => self.write(target, right),
            _ => {
                if code >> 7 & 1 == 1 {
                    self.r[LR] = self.r[PC] | 1;
                }
                return self.exchange(right);
            }
        }
        Ok(())
    }

    /// A branch to an address whose lowest bit says Thumb; without it the core has no instructions.
    fn exchange(&mut self, address: u32) -> Result<(), Stop> {
        if address & 1 == 0 {
            return Err(Stop::LockUp);
        }
        self.r[PC] = address & !1;
        Ok(())
    }

    fn write(&mut self, register: usize, value: u32) {
        self.r[register] = if register == PC { value & !1 } else { value };
    }

    fn transfer(&mut self, memory: &mut Memory, load: bool, n: usize, at: u32, size: u32) -> Result<(), Stop> {
        if load {
            self.r[n] = memory.read(at, size)?;
        } else {
            memory.write(at, size, self.r[n])?;
        }
        Ok(())
    }

    fn load_store_register(&mut self, code: u32, memory: &mut Memory) -> Result<(), Stop> {
        let at = self.r[field(code, 3)].wrapping_add(self.r[field(code, 6)]);
        let target = field(code, 0);
        match code >> 9 & 7 {
            0 => self.transfer(memory, false, target, at, 4),
            1 => self.transfer(memory, false, target, at, 2),
            2 => self.transfer(memory, false, target, at, 1),
            3 => {
                self.r[target] = sign_extended(memory.read(at, 1)?, 8);
                Ok(())
            }
            4 => self.transfer(memory, true, target, at, 4),
            5 => self.transfer(memory, true, target, at, 2),
            6 => self.transfer(memory, true, target, at, 1),
            _ => {
                self.r[target] = sign_extended(memory.read(at, 2)?, 16);
                Ok(())
            }
        }
    }

    fn load_store_immediate(&mut self, code: u32, memory: &mut Memory) -> Result<(), Stop> {
        let size: u32 = match code >> 12 {
            6 => 4,
            7 => 1,
            _ => 2,
        };
        let at = self.r[field(code, 3)].wrapping_add((code >> 6 & 31) * size);
        self.transfer(memory, code >> 11 & 1 == 1, field(code, 0), at, size)
    }

    fn stack(&mut self, code: u32, memory: &mut Memory) -> Result<(), Stop> {
        match code >> 8 & 0xf {
            0 => {
                let by = (code & 0x7f) << 2;
                let down = code >> 7 & 1 == 1;
                self.r[SP] = if down { self.r[SP].wrapping_sub(by) } else { self.r[SP].wrapping_add(by) };
            }
            2 => {
                let value = self.r[field(code, 3)];
                self.r[field(code, 0)] = match code >> 6 & 3 {
                    0 => sign_extended(value & 0xffff, 16),
                    1 => sign_extended(value & 0xff, 8),
                    2 => value & 0xffff,
                    _ => value & 0xff,
                };
            }
            4 | 5 => {
                let list = code & 0xff | (code >> 8 & 1) << LR;
                self.r[SP] = self.r[SP].wrapping_sub(4 * list.count_ones());
                let mut at = self.r[SP];
                for n in (0..16).filter(|n| list >> n & 1 == 1) {
                    memory.write(at, 4, self.r[n])?;
                    at = at.wrapping_add(4);
                }
            }
            12 | 13 => {
                for n in (0..8).filter(|n| code >> n & 1 == 1) {
                    self.r[n] = memory.read(self.r[SP], 4)?;
                    self.r[SP] = self.r[SP].wrapping_add(4);
                }
                if code >> 8 & 1 == 1 {
                    let back = memory.read(self.r[SP], 4)?;
                    self.r[SP] = self.r[SP].wrapping_add(4);
                    return self.exchange(back);
                }
            }
            // Hints: nop, yield, wfe, wfi, sev.
            15 if code & 0xf == 0 => {}
            _ => return Err(Stop::LockUp),
        }
        Ok(())
    }

    fn multiple(&mut self, code: u32, memory: &mut Memory) -> Result<(), Stop> {
        let (base, load) = (field(code, 8), code >> 11 & 1 == 1);
        let mut at = self.r[base];
        for n in (0..8).filter(|n| code >> n & 1 == 1) {
            self.transfer(memory, load, n, at, 4)?;
            at = at.wrapping_add(4);
        }
        if !load || code >> base & 1 == 0 {
            self.r[base] = at;
        }
        Ok(())
    }

    fn holds(&self, condition: u32) -> bool {
        let met = match condition >> 1 {
            0 => self.zero,
            1 => self.carry,
            2 => self.negative,
            3 => self.overflow,
            4 => self.carry && !self.zero,
            5 => self.negative == self.overflow,
            _ => self.negative == self.overflow && !self.zero,
        };
        met != (condition & 1 == 1)
    }

    fn branch(&mut self, at: u32, offset: u32) {
        self.r[PC] = at.wrapping_add(4).wrapping_add(offset);
    }

    fn branch_with_link(&mut self, at: u32, high: u32, low: u32) -> Result<(), Stop> {
        if high >> 11 != 0b11110 || low >> 14 != 0b11 || low >> 12 & 1 == 0 {
            return Err(Stop::LockUp);
        }
        let sign = high >> 10 & 1;
        let (first, second) = (!((low >> 13 & 1) ^ sign) & 1, !((low >> 11 & 1) ^ sign) & 1);
        let offset = sign << 24 | first << 23 | second << 22 | (high & 0x3ff) << 12 | (low & 0x7ff) << 1;
        self.r[LR] = at.wrapping_add(4) | 1;
        self.branch(at, sign_extended(offset, 25));
        Ok(())
    }
}

/// A register number of three bits.
fn field(code: u32, place: u32) -> usize {
    (code >> place & 7) as usize
}

fn sign_extended(value: u32, bits: u32) -> u32 {
    ((value << (32 - bits)) as i32 >> (32 - bits)) as u32
}
