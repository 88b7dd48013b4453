//! IEC 62056-21 and HDLC on the optical head.

use meterbench_iec62056::hdlc::{self, Address, Parameters, ServerEvent, ServerSettings};
use meterbench_iec62056::readout::{self, Baud, DataSet, DataWriter, Line, MeterAction, MeterSettings, Mode};
use meterbench_iec62056::server::{Interface, LONGEST_APDU, Server};

use super::{MESSAGE, now_ms};
use crate::cosem::Text;
use crate::meter::Meter;

/// Octets of an HDLC frame with its flags: information, addresses, check sequences.
const FRAME: usize = 128 + 20;
/// Upper address: the management logical device.
const MANAGEMENT: u16 = 1;
/// Time within which a client must connect, once the line carries HDLC (ms).
const LINK_WITHIN_MS: u64 = 30_000;
/// Characters of a readout.
const READOUT: usize = 400;
/// A flag of HDLC.
const FLAG: u8 = 0x7E;

/// What the shell of a port must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortAction<'a> {
    /// Send these octets.
    Transmit(&'a [u8]),
    /// Set the line, once everything handed out before has left.
    Switch(Line),
}

/// The optical port.
#[derive(Debug)]
pub struct OpticalPort {
    sign_on: readout::Meter<'static, 512>,
    hdlc: hdlc::Server<FRAME, MESSAGE>,
    server: Server,
    /// The line carries HDLC.
    linked: bool,
    /// The link ended: the next conversation begins with the sign-on.
    gone: bool,
    /// A link must stand by then (ms), or the sign-on is back.
    link_by: u64,
}

impl OpticalPort {
    /// A port as the setup of this meter says.
    pub fn new(meter: &Meter) -> Self {
        let ports = &meter.device().ports;
        let rate = Baud::from_digit(b'0' + ports.proposed_baud).unwrap_or(Baud::B9600);
        let settings = MeterSettings {
            // The small letter promises a reaction within 20 ms.
            manufacturer: if ports.quick { *b"KAm" } else { *b"KAM" },
            text: b"MB",
            address: b"",
            mode: Mode::E(rate),
            programming: None,
            partial_block: 64,
            inactivity_ms: 60_000,
        };
        let parameters = Parameters {
            information_transmit: ports.information,
            information_receive: ports.information,
            window_transmit: ports.window,
            window_receive: ports.window,
        };
        let address = Address::two(MANAGEMENT, ports.address).expect("the address of the setup fits seven bits");
        let link = ServerSettings {
            address,
            client: None,
            parameters,
            inter_octet_ms: u32::from(ports.between_octets_ms),
            inactivity_ms: 1000 * u32::from(ports.inactivity_s),
            calling: false,
        };
        let hdlc = hdlc::Server::new(link).expect("the frame has room for the information of the setup");
        #[cfg(feature = "defects")]
        let hdlc = hdlc.with_window_ignored(meter.defects.window_ignored);
        Self {
            sign_on: readout::Meter::new(settings).expect("the identification is made of letters"),
            hdlc,
            server: Server::at(Interface::Local),
            linked: false,
            gone: false,
            link_by: 0,
        }
    }

    /// Takes octets from the line; hands out what is due at once.
    pub fn receive(&mut self, meter: &mut Meter, mut octets: &[u8], mut act: impl FnMut(PortAction<'_>)) {
        let now = now_ms(meter);
        while !octets.is_empty() {
            if !self.linked && octets[0] == FLAG {
                self.link_up(now);
            }
            let taken = if self.linked { self.hdlc.receive(octets, now) } else { self.sign_on.receive(octets, now) };
            octets = octets.get(taken.max(1)..).unwrap_or_default();
            self.drain(meter, now, &mut act);
        }
    }

    /// Lets the meter's time pass: hands out what is due.
    pub fn tick(&mut self, meter: &mut Meter, mut act: impl FnMut(PortAction<'_>)) {
        let now = now_ms(meter);
        if self.linked {
            self.hdlc.tick(now);
            self.gone |= !self.hdlc.is_connected() && now >= self.link_by;
        } else {
            self.sign_on.tick(now);
        }
        self.drain(meter, now, &mut act);
    }

    /// Time (ms) after which [`Self::tick`] is due, if nothing comes before it.
    pub fn due_in(&self, meter: &Meter) -> Option<u64> {
        let at = match (self.linked, self.hdlc.is_connected()) {
            (false, _) => self.sign_on.deadline(),
            (true, true) => self.hdlc.deadline(),
            (true, false) => Some(self.hdlc.deadline().map_or(self.link_by, |at| at.min(self.link_by))),
        };
        at.map(|at| at.saturating_sub(now_ms(meter)))
    }

    /// The line carries HDLC from now on, if a client connects.
    fn link_up(&mut self, now: u64) {
        self.linked = true;
        self.link_by = now + LINK_WITHIN_MS;
    }

    fn drain(&mut self, meter: &mut Meter, now: u64, act: &mut impl FnMut(PortAction<'_>)) {
        while !self.linked {
            match self.sign_on.poll(now) {
                None => return,
                Some(MeterAction::Transmit(octets)) => act(PortAction::Transmit(octets)),
                Some(MeterAction::Switch(line)) => act(PortAction::Switch(line)),
                Some(MeterAction::Hdlc) => self.link_up(now),
                Some(MeterAction::Readout { .. }) => {
                    let mut list = [0; READOUT];
                    // What does not fit, or is asked for twice, is left out.
                    let _ = self.sign_on.readout(readout_list(meter, &mut list));
                }
                Some(MeterAction::Command { .. }) => {
                    let _ = self.sign_on.refuse();
                }
                Some(MeterAction::SignedOff) => {}
            }
        }
        self.serve(meter);
        while let Some(frame) = self.hdlc.poll_transmit() {
            act(PortAction::Transmit(frame));
        }
        if core::mem::take(&mut self.gone) {
            self.linked = false;
            self.sign_on.restart();
            // Back to the initial rate, where the sign-on had left it.
            if let Some(MeterAction::Switch(line)) = self.sign_on.poll(now) {
                act(PortAction::Switch(line));
            }
        }
    }

    fn serve(&mut self, meter: &mut Meter) {
        let mut answer = [0; LONGEST_APDU];
        loop {
            let length = match self.hdlc.poll_event() {
                None => break,
                Some(ServerEvent::Message { client, octets }) => {
                    self.server.answer(meter, client.upper(), octets, &mut answer)
                }
                Some(ServerEvent::Connected { .. }) => {
                    self.server.disconnect();
                    continue;
                }
                Some(ServerEvent::Disconnected(_)) => {
                    self.server.disconnect();
                    self.gone = true;
                    continue;
                }
                Some(ServerEvent::Discarded(_)) => 0,
                // Nothing is asked for without a link.
                Some(ServerEvent::Unnumbered { .. }) => continue,
            };
            if length == 0 || self.hdlc.answer(&answer[..length]).is_err() {
                self.hdlc.no_answer();
            }
        }
        if self.hdlc.is_waited_for() {
            let length = self.server.go_on(meter, &mut answer);
            // Without another block the link says itself that there is nothing.
            let _ = length > 0 && self.hdlc.answer(&answer[..length]).is_ok();
        }
    }
}

/// What is read out in plain: serial number and the registers of the display; nothing where that is not configured.
fn readout_list<'o>(meter: &Meter, out: &'o mut [u8]) -> &'o [u8] {
    let mut list = DataWriter::new(out);
    if meter.device().ports.plain_readout {
        let serial = Text::of(format_args!("{:08}", meter.device().serial()));
        let _ = list.line(&DataSet { address: b"0-0:96.1.0", value: serial.bytes(), unit: None });
        for register in [1, 2, 3, 4] {
            let Some(shown) = meter.display([register, 8, 0]) else { continue };
            let address = Text::of(format_args!("1-0:{register}.8.0"));
            let text = Text::of(format_args!("{shown}"));
            // `1.8.0;000012.345;kWh`
            let mut fields = text.bytes().split(|letter| *letter == b';').skip(1);
            let (Some(value), unit) = (fields.next(), fields.next()) else { continue };
            let _ = list.line(&DataSet { address: address.bytes(), value, unit });
        }
    }
    list.finish()
}
