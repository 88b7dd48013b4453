//! The probe itself: passes transfers on, as a CMSIS-DAP probe does.

use std::fmt;
use std::io;
use std::sync::Arc;

use probe_rs::architecture::arm::sequences::ArmDebugSequence;
use probe_rs::architecture::arm::{
    ArmCommunicationInterface, ArmDebugInterface, ArmError, DapError, DapProbe, RawDapAccess, RegisterAddress,
};
use probe_rs::integration::ProbeLister;
use probe_rs::probe::list::ProbeListItem;
use probe_rs::probe::{
    DebugProbe, DebugProbeError, DebugProbeInfo, DebugProbeSelector, Probe, ProbeCreationError, ProbeFactory,
    WireProtocol,
};
use probe_rs::{CoreStatus, Error};

use super::{Answer, Board};

/// Every probe on the emulated USB.
#[derive(Debug)]
pub(super) struct Usb(pub(super) Vec<(String, Board)>);

impl ProbeLister for Usb {
    fn open(&self, selector: &DebugProbeSelector) -> Result<Probe, DebugProbeError> {
        let found = self.0.iter().find(|(serial, _)| selector.matches_probe(&info(serial)));
        let (_, board) = found.ok_or(DebugProbeError::ProbeCouldNotBeCreated(ProbeCreationError::NotFound))?;
        Ok(Probe::from_specific_probe(Box::new(EmulatedProbe { board: board.clone() })))
    }

    fn list_with_access(&self, selector: Option<&DebugProbeSelector>) -> Vec<ProbeListItem> {
        let all = self.0.iter().map(|(serial, _)| info(serial));
        all.filter(|info| selector.is_none_or(|s| s.matches_probe(info))).map(ProbeListItem::accessible).collect()
    }
}

fn info(serial: &str) -> DebugProbeInfo {
    DebugProbeInfo::new("Emulated CMSIS-DAP", 0x0d28, 0x0204, Some(serial.to_owned()), &Emulated, None, false)
}

#[derive(Debug)]
struct Emulated;

impl fmt::Display for Emulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("emulated")
    }
}

impl ProbeFactory for Emulated {
    fn open(&self, _: &DebugProbeSelector) -> Result<Box<dyn DebugProbe>, DebugProbeError> {
        Err(DebugProbeError::ProbeCouldNotBeCreated(ProbeCreationError::NotFound))
    }

    fn list_probes(&self) -> Vec<ProbeListItem> {
        Vec::new()
    }
}

#[derive(Debug)]
struct EmulatedProbe {
    board: Board,
}

fn unplugged() -> DebugProbeError {
    DebugProbeError::Usb(io::Error::new(io::ErrorKind::NotConnected, "the device is gone"))
}

impl EmulatedProbe {
    /// A transfer; after a fault the probe clears the sticky error, as CMSIS-DAP drivers do.
    fn transfer(&mut self, address: RegisterAddress, value: Option<u32>) -> Result<u32, ArmError> {
        let mut wire = self.board.wire();
        let answer = match value {
            Some(value) => wire.write(address.is_ap(), address.lsb(), value),
            None => wire.read(address.is_ap(), address.lsb()),
        };
        if !wire.plugged {
            return Err(unplugged().into());
        }
        match answer {
            Answer::Ok(value) => Ok(value),
            Answer::Nothing => Err(DapError::NoAcknowledge.into()),
            Answer::Fault => {
                const CLEAR_STICKY_ERROR: u32 = 1 << 2;
                wire.write(false, 0, CLEAR_STICKY_ERROR);
                Err(DapError::FaultResponse.into())
            }
        }
    }
}

impl RawDapAccess for EmulatedProbe {
    fn raw_read_register(&mut self, address: RegisterAddress) -> Result<u32, ArmError> {
        self.transfer(address, None)
    }

    fn raw_write_register(&mut self, address: RegisterAddress, value: u32) -> Result<(), ArmError> {
        self.transfer(address, Some(value)).map(|_| ())
    }

    fn jtag_sequence(&mut self, _: u8, _: bool, _: u64) -> Result<(), DebugProbeError> {
        Err(DebugProbeError::UnsupportedProtocol(WireProtocol::Jtag))
    }

    fn swj_sequence(&mut self, length: u8, bits: u64) -> Result<(), DebugProbeError> {
        let mut wire = self.board.wire();
        if !wire.plugged {
            return Err(unplugged());
        }
        wire.port.sequence(length, bits);
        Ok(())
    }

    fn swj_pins(&mut self, _: u32, _: u32, _: u32) -> Result<u32, DebugProbeError> {
        Err(DebugProbeError::CommandNotSupportedByProbe { command_name: "swj_pins" })
    }

    fn into_probe(self: Box<Self>) -> Box<dyn DebugProbe> {
        self
    }

    fn core_status_notification(&mut self, _: CoreStatus) -> Result<(), DebugProbeError> {
        Ok(())
    }
}

impl DapProbe for EmulatedProbe {}

impl DebugProbe for EmulatedProbe {
    fn get_name(&self) -> &str {
        "Emulated CMSIS-DAP"
    }

    fn speed_khz(&self) -> u32 {
        4000
    }

    fn set_speed(&mut self, speed_khz: u32) -> Result<u32, DebugProbeError> {
        Ok(speed_khz)
    }

    fn attach(&mut self) -> Result<(), DebugProbeError> {
        if self.board.wire().plugged { Ok(()) } else { Err(unplugged()) }
    }

    fn detach(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn target_reset(&mut self) -> Result<(), DebugProbeError> {
        Err(DebugProbeError::CommandNotSupportedByProbe { command_name: "target_reset" })
    }

    fn target_reset_assert(&mut self) -> Result<(), DebugProbeError> {
        Err(DebugProbeError::CommandNotSupportedByProbe { command_name: "target_reset_assert" })
    }

    fn target_reset_deassert(&mut self) -> Result<(), DebugProbeError> {
        Ok(())
    }

    fn select_protocol(&mut self, protocol: WireProtocol) -> Result<(), DebugProbeError> {
        match protocol {
            WireProtocol::Swd => Ok(()),
            WireProtocol::Jtag => Err(DebugProbeError::UnsupportedProtocol(protocol)),
        }
    }

    fn active_protocol(&self) -> Option<WireProtocol> {
        Some(WireProtocol::Swd)
    }

    fn has_arm_interface(&self) -> bool {
        true
    }

    fn try_get_arm_debug_interface<'probe>(
        self: Box<Self>,
        sequence: Arc<dyn ArmDebugSequence>,
    ) -> Result<Box<dyn ArmDebugInterface + 'probe>, (Box<dyn DebugProbe>, ArmError)> {
        Ok(ArmCommunicationInterface::create(self, sequence, false))
    }

    fn try_as_dap_probe(&mut self) -> Option<&mut dyn DapProbe> {
        Some(self)
    }

    fn into_probe(self: Box<Self>) -> Box<dyn DebugProbe> {
        self
    }
}
