//! Chips by name: where their flash is, and how they say who they are.

use std::ops::Range;

use probe_rs::Target;
use probe_rs::config::{MemoryRegion, Registry};

use crate::error::ProbeError;

/// Register in which every STM32F4 says who it is; the lower twelve bits name the kind.
pub(crate) const IDENTITY: u64 = 0xe004_2000;
/// Register of the flash controller with the read protection, and the value of its second byte that protects nothing.
pub(crate) const OPTIONS: u64 = 0x4002_3c14;
pub(crate) const UNPROTECTED: u32 = 0xaa;
/// Word whose upper half says how much flash the chip has (KiB).
pub(crate) const FLASH_SIZE: u64 = 0x1fff_7a20;

/// Source: ST reference manuals RM0090, RM0368, RM0383, RM0386, RM0390, RM0401, RM0402, RM0430: DBGMCU_IDCODE.
#[rustfmt::skip]
const KINDS: [(u32, &str, &[&str]); 10] = [
    (0x413, "STM32F405, F407, F415, F417", &["STM32F405", "STM32F407", "STM32F415", "STM32F417"]),
    (0x419, "STM32F42x, F43x",             &["STM32F427", "STM32F429", "STM32F437", "STM32F439"]),
    (0x421, "STM32F446",                   &["STM32F446"]),
    (0x423, "STM32F401xB, xC",             &["STM32F401CB", "STM32F401CC", "STM32F401RB", "STM32F401RC", "STM32F401VB", "STM32F401VC"]),
    (0x431, "STM32F411",                   &["STM32F411"]),
    (0x433, "STM32F401xD, xE",             &["STM32F401CD", "STM32F401CE", "STM32F401RD", "STM32F401RE", "STM32F401VD", "STM32F401VE"]),
    (0x434, "STM32F469, F479",             &["STM32F469", "STM32F479"]),
    (0x441, "STM32F412",                   &["STM32F412"]),
    (0x458, "STM32F410",                   &["STM32F410"]),
    (0x463, "STM32F413, F423",             &["STM32F413", "STM32F423"]),
];

/// A chip that this version can tell from another.
#[derive(Debug, Clone)]
pub struct KnownChip {
    /// As it was named.
    pub name: String,
    /// Where firmware goes.
    pub flash: Range<u64>,
    pub(crate) kind: u32,
    pub(crate) target: Target,
}

impl KnownChip {
    /// Looks a chip up; no probe is needed for it.
    pub fn named(name: &str) -> Result<Self, ProbeError> {
        let registry = Registry::from_builtin_families();
        let Ok(target) = registry.get_target_by_name(name) else {
            return Err(ProbeError::UnknownChip { name: name.to_owned(), close: close(&registry, name) });
        };
        let upper = name.to_ascii_uppercase();
        let kind = KINDS.iter().find(|(_, _, names)| names.iter().any(|known| upper.starts_with(known)));
        let flash = target.memory_map.iter().find_map(|region| match region {
            MemoryRegion::Nvm(region) if region.is_boot_memory() => Some(region.range.clone()),
            _ => None,
        });
        match (kind, flash) {
            (Some((kind, ..)), Some(flash)) => Ok(Self { name: upper, flash, kind: *kind, target }),
            _ => Err(ProbeError::NoIdentity { name: name.to_owned() }),
        }
    }
}

/// `0x413 (STM32F405, F407, F415, F417)`
pub(crate) fn words(kind: u32) -> String {
    match KINDS.iter().find(|(known, ..)| *known == kind) {
        Some((_, names, _)) => format!("{kind:#05x}, {names}"),
        None => format!("{kind:#05x}"),
    }
}

/// Names that begin alike, for somebody who knows half of one.
fn close(registry: &Registry, name: &str) -> String {
    const FAMILY: usize = 9;
    let Some(family) = name.get(..FAMILY) else { return String::new() };
    let mut names = registry.search_chips(family);
    names.retain(|chip| chip.len() == FAMILY + 2);
    names.dedup();
    if names.is_empty() { String::new() } else { format!("; with {family} begin {}", names.join(", ")) }
}
