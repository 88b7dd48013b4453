//! What the display shows: a register in the resolution of the meter, nine digits at most.

use core::fmt;

use meterbench_metrology::Energy;

/// Unit of the value field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Active energy.
    KilowattHour,
    /// Reactive energy.
    KilovarHour,
}

impl Unit {
    /// As printed beside the value.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::KilowattHour => "kWh",
            Self::KilovarHour => "kvarh",
        }
    }
}

/// How many digits stand before and behind the decimal point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisplayFormat {
    /// Digits before the point; the register rolls over after `10^whole - 1`.
    pub whole: u8,
    /// Digits behind the point, 0 to 3: the resolution of the meter is `10^-decimals` kWh.
    pub decimals: u8,
}

impl DisplayFormat {
    /// Six digits and three decimals: the finest a nine-digit value field can show without rolling over within
    /// 4000 h at full load (MID) for one system, and a resolution of 1 Wh.
    pub const WATT_HOUR: Self = Self { whole: 6, decimals: 3 };

    fn resolution_wh(self) -> u64 {
        10u64.pow(3 - u32::from(self.decimals.min(3)))
    }
}

/// The image of the value and OBIS fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Display {
    /// OBIS identification C.D.E.
    pub obis: [u8; 3],
    /// Value in units of the last digit shown.
    pub digits: u64,
    /// Digits before and behind the point.
    pub format: DisplayFormat,
    /// Unit field.
    pub unit: Unit,
}

impl Display {
    /// Shows a register: digits that do not fit roll over, digits below the resolution are cut off.
    pub fn of(obis: [u8; 3], energy: Energy, format: DisplayFormat, unit: Unit) -> Self {
        let digits = energy.watt_hours() / format.resolution_wh();
        let capacity = 10u64.pow(u32::from(format.whole) + u32::from(format.decimals));
        Self { obis, digits: digits % capacity, format, unit }
    }
}

impl fmt::Display for Display {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [c, d, e] = self.obis;
        let (whole, decimals) = (usize::from(self.format.whole), usize::from(self.format.decimals));
        let scale = 10u64.pow(decimals as u32);
        write!(f, "{c}.{d}.{e};{:0whole$}", self.digits / scale)?;
        if decimals > 0 {
            write!(f, ".{:0decimals$}", self.digits % scale)?;
        }
        write!(f, ";{}", self.unit.symbol())
    }
}
