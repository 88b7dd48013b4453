//! OMNIA: `68 X1-X2-X3X4X5-X6..X13-X14..X20`.

use meterbench_metrology::Systems;

use super::TypeNumberError;
use super::codes::{Codes, code, length, pair};
use crate::profile::{
    ActiveClass, Backup, Breaker, Energies, Flex, Han, Housing, Product, Profile, ReactiveClass, Variant,
};

const CODES: usize = 20;
pub(super) const LENGTH: usize = length(CODES);
/// A dash stands behind these positions.
pub(super) const DASHES: [u8; 4] = [1, 2, 5, 13];

const METER_TYPE: [(u8, Systems); 2] = [(b'4', Systems::Three), (b'6', Systems::One)];
const HOUSING: [(u8, Housing); 2] = [(b'1', Housing::TwoScrews), (b'4', Housing::ElevatorClamps)];
const BREAKER: [(u8, Breaker); 2] = [(b'0', Breaker::None), (b'1', Breaker::Standard)];
const YES_NO: [(u8, bool); 2] = [(b'0', false), (b'1', true)];
const SYSTEMS: [(u8, Systems); 2] = [(b'1', Systems::One), (b'3', Systems::Three)];
const HAN: [(u8, Han); 3] = [(b'0', Han::None), (b'1', Han::P1Lite), (b'2', Han::P1)];
const FLEX: [(&[u8; 2], Flex); 4] = [
    (b"00", Flex::None),
    (b"AA", Flex::SupplyLoadControlPulse),
    (b"AB", Flex::LoadControlPulse),
    (b"AH", Flex::SupplyPulse),
];
const BACKUP: [(u8, Backup); 6] = [
    (b'3', Backup::Supercap3),
    (b'7', Backup::Supercap7),
    (b'B', Backup::Battery),
    (b'C', Backup::Supercap3LastGasp),
    (b'D', Backup::Supercap7LastGasp),
    (b'E', Backup::BatteryLastGasp),
];
/// Reference current of both current ranges (A).
const REFERENCE_CURRENT: u32 = 5;
/// Maximum current (A).
const CURRENT: [(u8, u32); 2] = [(b'1', 100), (b'8', 80)];
const CLASS: [(&[u8; 2], (ActiveClass, ReactiveClass)); 6] = [
    (b"11", (ActiveClass::One, ReactiveClass::One)),
    (b"12", (ActiveClass::One, ReactiveClass::Two)),
    (b"22", (ActiveClass::Two, ReactiveClass::Two)),
    (b"B1", (ActiveClass::B, ReactiveClass::One)),
    (b"B2", (ActiveClass::B, ReactiveClass::Two)),
    (b"A2", (ActiveClass::A, ReactiveClass::Two)),
];
const ENERGY: [(u8, Energies); 1] = [(b'4', Energies::ActiveReactiveBothWays)];

pub(super) fn decode(codes: &Codes<CODES>) -> Result<Profile, TypeNumberError> {
    let meter_type = codes.decode(1, "4 (three-phase) or 6 (single-phase)", &METER_TYPE)?;
    codes.decode(2, "2 (revision 2)", &[(b'2', ())])?;
    let housing = codes.decode(3, "1 (two screws) or 4 (35 mm2 elevator clamps)", &HOUSING)?;
    let breaker = codes.decode(4, "0 (no breaker) or 1 (standard breaker)", &BREAKER)?;
    codes.decode(5, "D (OMNIA e-meter)", &[(b'D', ())])?;
    codes.decode(6, "1 (variant 1)", &[(b'1', ())])?;
    let systems = codes.decode(7, "1 or 3 measuring systems", &SYSTEMS)?;
    let modem = codes.decode(8, "0 (none) or 1 (LTE Cat M1/NB2)", &YES_NO)?;
    let han = codes.decode(9, "0 (none), 1 (P1 Lite) or 2 (P1)", &HAN)?;
    let flex = codes.decode_pair(10, "X10 X11 = 00, AA, AB or AH", &FLEX)?;
    let backup = codes.decode(12, "3, 7, B, C, D or E", &BACKUP)?;
    let hot_swap = codes.decode(13, "0 or 1 (hot swap)", &YES_NO)?;
    let maximum_current = codes.decode(14, "1 (5(100) A) or 8 (5(80) A)", &CURRENT)?;
    let (active_class, reactive_class) = codes.decode_pair(15, "X15 X16 = 11, 12, 22, B1, B2 or A2", &CLASS)?;
    let energies = codes.decode(17, "4 (A+/A-/R+/R-)", &ENERGY)?;
    let country = codes.country(18)?;
    let profile = Profile {
        product: Product::Omnia,
        variant: Variant::One,
        systems,
        housing,
        breaker,
        modem,
        radio: false,
        han,
        flex,
        backup,
        hot_swap,
        reference_current: REFERENCE_CURRENT,
        maximum_current,
        active_class,
        reactive_class: Some(reactive_class),
        energies,
        country,
    };
    if meter_type != systems {
        return Err(TypeNumberError::Rule {
            rule: "systems-match-meter-type",
            explanation: "a three-phase meter (X1 = 4) has three measuring systems (X7 = 3), a single-phase meter (X1 = 6) has one (X7 = 1)",
        });
    }
    if profile.has_last_gasp() && !modem {
        return Err(TypeNumberError::Rule {
            rule: "last-gasp-needs-modem",
            explanation: "a last gasp (X12 = C, D or E) is sent by the modem (X8 = 1)",
        });
    }
    Ok(profile)
}

pub(super) fn encode(p: &Profile) -> [u8; CODES] {
    let [x10, x11] = pair(&FLEX, &p.flex);
    let [x15, x16] = p.reactive_class.map_or(*b"??", |reactive| pair(&CLASS, &(p.active_class, reactive)));
    let [x18, x19, x20] = p.country;
    [
        code(&METER_TYPE, &p.systems),
        b'2',
        code(&HOUSING, &p.housing),
        code(&BREAKER, &p.breaker),
        b'D',
        b'1',
        code(&SYSTEMS, &p.systems),
        code(&YES_NO, &p.modem),
        code(&HAN, &p.han),
        x10,
        x11,
        code(&BACKUP, &p.backup),
        code(&YES_NO, &p.hot_swap),
        code(&CURRENT, &p.maximum_current),
        x15,
        x16,
        code(&ENERGY, &p.energies),
        x18,
        x19,
        x20,
    ]
}

#[cfg(test)]
mod tests {
    use std::string::ToString;
    use std::{format, println};

    use crate::{TypeNumber, TypeNumberError};

    #[test]
    fn every_valid_code_survives_a_round_trip() {
        let mut valid = 0;
        for (x1, x7) in [("4", "3"), ("6", "1")] {
            for x3 in ["1", "4"] {
                for x4 in ["0", "1"] {
                    for (x8, backups) in [("0", "37B"), ("1", "37BCDE")] {
                        for x9 in ["0", "1", "2"] {
                            for flex in ["00", "AA", "AB", "AH"] {
                                for x12 in backups.chars() {
                                    for x13 in ["0", "1"] {
                                        for x14 in ["1", "8"] {
                                            for class in ["11", "12", "22", "B1", "B2", "A2"] {
                                                let text = format!(
                                                    "68{x1}-2-{x3}{x4}D-1{x7}{x8}{x9}{flex}{x12}{x13}-{x14}{class}4DK1"
                                                );
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
            }
        }
        println!("{valid} valid type numbers");
    }

    #[test]
    fn combinations_are_refused_by_name() {
        let rule = |text: &str| match text.parse::<TypeNumber>() {
            Err(TypeNumberError::Rule { rule, .. }) => rule,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(rule("684-2-41D-1112AA70-1B14001"), "systems-match-meter-type");
        assert_eq!(rule("684-2-41D-1302AAC0-1B14001"), "last-gasp-needs-modem");
    }
}
