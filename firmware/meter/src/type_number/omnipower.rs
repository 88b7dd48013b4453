//! OMNIPOWER single-phase: `68 X1-X2X3-X4X5X6-X7X8X9-X10..X13-X14..X16`. The sheet names no combination of X codes
//! that is excluded.

use meterbench_metrology::Systems;

use super::TypeNumberError;
use super::codes::{Codes, code, length};
use crate::profile::{
    ActiveClass, Backup, Breaker, Energies, Flex, Han, Housing, Product, Profile, ReactiveClass, Variant,
};

const CODES: usize = 16;
pub(super) const LENGTH: usize = length(CODES);
/// A dash stands behind these positions, as on the heading row of the sheet.
pub(super) const DASHES: [u8; 5] = [1, 3, 6, 9, 13];

const HOUSING: [(u8, Housing); 2] = [(b'1', Housing::Standard), (b'2', Housing::St)];
/// Reference current and maximum current (A).
const CURRENT: [(u8, (u32, u32)); 5] =
    [(b'1', (5, 100)), (b'4', (5, 65)), (b'6', (10, 60)), (b'7', (10, 80)), (b'8', (5, 80))];
const CLASS: [(u8, ActiveClass); 4] =
    [(b'A', ActiveClass::A), (b'B', ActiveClass::B), (b'2', ActiveClass::Two), (b'1', ActiveClass::One)];
const VARIANT: [(u8, Variant); 2] = [(b'1', Variant::One), (b'2', Variant::Two)];
const ENERGY: [(u8, Energies); 3] =
    [(b'1', Energies::ActiveImport), (b'2', Energies::ActiveBothWays), (b'4', Energies::ActiveReactiveBothWays)];
const BREAKER: [(u8, Breaker); 3] = [(b'0', Breaker::None), (b'2', Breaker::Dual), (b'3', Breaker::Standard)];
const RADIO: [(u8, bool); 2] = [(b'0', false), (b'1', true)];
const BACKUP: [(u8, Backup); 2] = [(b'0', Backup::Supercap7), (b'1', Backup::Supercap7Battery)];

pub(super) fn decode(codes: &Codes<CODES>) -> Result<Profile, TypeNumberError> {
    codes.decode(1, "6 (single-phase)", &[(b'6', ())])?;
    codes.decode(2, "1 (OMNIPOWER)", &[(b'1', ())])?;
    let housing = codes.decode(3, "1 (standard) or 2 (ST)", &HOUSING)?;
    let systems = codes.decode(4, "1 (one measuring system)", &[(b'1', Systems::One)])?;
    let (reference_current, maximum_current) =
        codes.decode(5, "1 (5-100 A), 4 (5-65 A), 6 (10-60 A), 7 (10-80 A) or 8 (5-80 A)", &CURRENT)?;
    let active_class = codes.decode(6, "A, B, 2 or 1", &CLASS)?;
    codes.decode(7, "N (generation N)", &[(b'N', ())])?;
    let variant = codes.decode(8, "1 (variant 1) or 2 (variant 2)", &VARIANT)?;
    let energies = codes.decode(9, "1 (A+), 2 (A+/A-) or 4 (A+/A-/R+/R-)", &ENERGY)?;
    let breaker = codes.decode(10, "0 (no breaker), 2 (dual breaker) or 3 (standard breaker)", &BREAKER)?;
    let radio = codes.decode(11, "0 (no radio) or 1 (radio)", &RADIO)?;
    let backup = codes.decode(12, "0 (supercap) or 1 (supercap and battery)", &BACKUP)?;
    codes.decode(13, "1 (S0 output)", &[(b'1', ())])?;
    let country = codes.country(14)?;
    Ok(Profile {
        product: Product::Omnipower,
        variant,
        systems,
        housing,
        breaker,
        modem: false,
        radio,
        han: Han::None,
        flex: Flex::None,
        backup,
        hot_swap: false,
        reference_current,
        maximum_current,
        active_class,
        reactive_class: energies.has_reactive().then_some(ReactiveClass::Two),
        energies,
        country,
    })
}

pub(super) fn encode(p: &Profile) -> [u8; CODES] {
    let [x14, x15, x16] = p.country;
    [
        b'6',
        b'1',
        code(&HOUSING, &p.housing),
        b'1',
        code(&CURRENT, &(p.reference_current, p.maximum_current)),
        code(&CLASS, &p.active_class),
        b'N',
        code(&VARIANT, &p.variant),
        code(&ENERGY, &p.energies),
        code(&BREAKER, &p.breaker),
        code(&RADIO, &p.radio),
        code(&BACKUP, &p.backup),
        b'1',
        x14,
        x15,
        x16,
    ]
}

#[cfg(test)]
mod tests {
    use std::format;
    use std::string::ToString;

    use super::*;
    use crate::TypeNumber;

    fn profile(text: &str) -> Profile {
        *text.parse::<TypeNumber>().unwrap().profile()
    }

    #[test]
    fn every_valid_code_survives_a_round_trip() {
        let mut valid = 0;
        for x3 in ["1", "2"] {
            for x5 in ["1", "4", "6", "7", "8"] {
                for x6 in ["A", "B", "2", "1"] {
                    for x8 in ["1", "2"] {
                        for x9 in ["1", "2", "4"] {
                            for x10 in ["0", "2", "3"] {
                                for x11 in ["0", "1"] {
                                    for x12 in ["0", "1"] {
                                        let text = format!("686-1{x3}-1{x5}{x6}-N{x8}{x9}-{x10}{x11}{x12}1-DK1");
                                        let parsed: TypeNumber = text.parse().unwrap();
                                        assert_eq!(parsed.to_string(), text);
                                        valid += 1;
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        assert_eq!(valid, 2880);
    }

    #[test]
    fn the_current_range_gives_reference_minimum_and_maximum() {
        for (x5, amperes) in [('1', (5, 100)), ('4', (5, 65)), ('6', (10, 60)), ('7', (10, 80)), ('8', (5, 80))] {
            let p = profile(&format!("686-11-1{x5}A-N14-3001-001"));
            assert_eq!((p.reference_current, p.maximum_current), amperes);
            assert_eq!(p.minimum_current_ma(), amperes.0 * 50);
            assert_eq!(p.starting_current_ma(), amperes.0 * 5);
        }
    }

    #[test]
    fn what_is_registered_decides_the_reactive_class() {
        let registered = |x9: char| {
            let p = profile(&format!("686-11-11B-N1{x9}-3001-001"));
            (p.energies.has_export(), p.reactive_class)
        };
        assert_eq!(registered('1'), (false, None));
        assert_eq!(registered('2'), (true, None));
        assert_eq!(registered('4'), (true, Some(ReactiveClass::Two)));
    }

    #[test]
    fn only_positive_active_energy_is_approved_and_the_pulse_output_is_always_there() {
        let (omnipower, omnia) = (profile("686-11-11B-N14-3001-001"), profile("684-2-41D-1312AA70-1B14001"));
        assert!(!omnipower.mid_covers_export() && omnia.mid_covers_export());
        assert!(omnipower.has_pulse_output() && !omnipower.has_load_control() && !omnipower.has_last_gasp());
    }
}
