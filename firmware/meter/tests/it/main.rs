//! The meter as a client sees it: associations, rights, blocks, replay.

#[cfg(feature = "defects")]
mod defects;
mod general_blocks;
mod passwords;
mod ports;
mod power_cut;
mod quality;
mod records;

use meterbench_iec62056::acse::{Diagnostic, Mechanism, UserDiagnostic};
use meterbench_iec62056::apdu::{
    ActionRequest, ActionResponse, ActionResult, Apdu, AttributeDescriptor, AttributeReference, DataAccessResult,
    GetRequest, GetResponse, List, MethodDescriptor, SetRequest, SetResponse,
};
use meterbench_iec62056::client::{Client, ClientError, Credentials};
use meterbench_iec62056::data::{Data, EncodedData};
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::{Reader, Writer};
use meterbench_iec62056::security::{Key, SystemTitle, wrap_key};
use meterbench_iec62056::server::{LONGEST_APDU, Server};
use meterbench_meter::cosem::{Identity, Role, RoleKeys};
use meterbench_meter::{Meter, Settings, TypeNumber};
use meterbench_metrology::Frame;

const THREE_PHASE: &str = "684-2-41D-1312AA70-1B14001";
const OMNIPOWER_IMPORT: &str = "686-11-11B-N11-3001-001";

/// A meter, the server of its port, and a client at the other end.
struct Line {
    meter: Meter,
    server: Server,
    client: Client,
    role: Role,
}

/// A meter with keys of its own for every role.
fn identity(serial: u32) -> Identity {
    let keys = |n: u8| RoleKeys { encryption: [n; 16], authentication: [n + 1; 16], master: [n + 2; 16] };
    let passwords = [None, Some([50; 16]), Some([51; 16])];
    Identity { serial, keys: [10, 20, 30].map(keys), passwords, seed: [40; 16] }
}

fn meter(type_number: &str) -> Meter {
    let profile = *type_number.parse::<TypeNumber>().unwrap().profile();
    Meter::new(&profile, &Settings::delivered()).unwrap().with_identity(&identity(10_000_001), type_number)
}

fn credentials(role: Role, general: bool) -> Credentials {
    if role == Role::Public {
        return Credentials::public();
    }
    let keys = identity(10_000_001).keys[role as usize - 1];
    Credentials {
        mechanism: Mechanism::HIGH_GMAC,
        secret: [0x5A; 16],
        title: SystemTitle(*b"MBB\0\0\0\0\x01"),
        keys: Some((Key(keys.encryption), Key(keys.authentication))),
        counter: 0,
        general,
        dedicated: None,
    }
}

impl Line {
    fn new(type_number: &str, role: Role, credentials: Credentials) -> Self {
        Self { meter: meter(type_number), server: Server::new(), client: Client::new(credentials), role }
    }

    fn exchange(&mut self, apdu: &[u8]) -> Vec<u8> {
        let mut out = [0; LONGEST_APDU];
        let length = self.server.answer(&mut self.meter, self.role.client(), apdu, &mut out);
        out[..length].to_vec()
    }

    fn associate(&mut self) -> Result<(), ClientError> {
        let mut out = [0; 512];
        let length = self.client.associate(&mut out)?;
        let answer = self.exchange(&out[..length]);
        if self.client.associated(&answer)? {
            let length = self.client.reply(&mut out)?;
            let answer = self.exchange(&out[..length]);
            self.client.replied(&answer)?;
        }
        Ok(())
    }

    fn open(type_number: &str, role: Role) -> Self {
        let mut line = Self::new(type_number, role, credentials(role, role == Role::Reader));
        line.associate().unwrap();
        line
    }

    /// A plain request, and the plain answer.
    fn ask(&mut self, encode: impl FnOnce(&mut Writer<'_>)) -> Result<Vec<u8>, ClientError> {
        let mut plain = [0; 512];
        let mut writer = Writer::new(&mut plain);
        encode(&mut writer);
        let length = writer.finish().unwrap();
        let mut out = [0; 1024];
        let length = self.client.request(&plain[..length], &mut out)?;
        let answer = self.exchange(&out[..length]);
        let mut opened = [0; 1024];
        self.client.open(&answer, &mut opened).map(<[u8]>::to_vec)
    }

    fn get(&mut self, class: u16, name: &str, attribute: i8) -> Result<Vec<u8>, DataAccessResult> {
        let attribute = AttributeDescriptor { class, name: name.parse().unwrap(), attribute };
        self.read(attribute.into(), |_| ())
    }

    /// Reads in as many blocks as it takes; `between` happens to the meter before each but the first.
    fn read(
        &mut self,
        reference: AttributeReference<'_>,
        between: impl Fn(&mut Meter),
    ) -> Result<Vec<u8>, DataAccessResult> {
        let invoke = self.client.next_invoke();
        let request = GetRequest::Normal { invoke, reference };
        let mut answer = self.ask(|writer| request.encode(writer)).unwrap();
        let mut whole = Vec::new();
        loop {
            match Apdu::decode(&answer).unwrap() {
                Apdu::GetResponse(GetResponse::Normal { result, .. }) => return result.map(|v| v.octets().to_vec()),
                Apdu::GetResponse(GetResponse::WithDataBlock { last, number, result, .. }) => {
                    whole.extend_from_slice(result?);
                    if last {
                        return Ok(whole);
                    }
                    between(&mut self.meter);
                    let invoke = self.client.next_invoke();
                    answer = self.ask(|writer| GetRequest::Next { invoke, number }.encode(writer)).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn set(&mut self, class: u16, name: &str, attribute: i8, value: &Data<'_>) -> DataAccessResult {
        let mut octets = [0; 64];
        self.write(class, name, attribute, EncodedData::encode_into(value, &mut octets).unwrap())
    }

    fn write(&mut self, class: u16, name: &str, attribute: i8, value: EncodedData<'_>) -> DataAccessResult {
        let attribute = AttributeDescriptor { class, name: name.parse().unwrap(), attribute };
        let request = SetRequest::Normal { invoke: self.client.next_invoke(), reference: attribute.into(), value };
        match Apdu::decode(&self.ask(|writer| request.encode(writer)).unwrap()).unwrap() {
            Apdu::SetResponse(SetResponse::Normal { result, .. }) => result,
            other => panic!("{other:?}"),
        }
    }

    fn act(&mut self, class: u16, name: &str, method: i8, value: &[u8]) -> ActionResult {
        let method = MethodDescriptor { class, name: name.parse().unwrap(), method };
        let parameter = EncodedData::new(value).ok();
        let request = ActionRequest::Normal { invoke: self.client.next_invoke(), method, parameter };
        match Apdu::decode(&self.ask(|writer| request.encode(writer)).unwrap()).unwrap() {
            Apdu::ActionResponse(ActionResponse::Normal { outcome, .. }) => outcome.result,
            other => panic!("{other:?}"),
        }
    }

    fn run(&mut self, seconds: usize) {
        let wave = |n: usize| (std::f64::consts::TAU * n as f64 / 160.0).sin();
        let cycle: [Frame; 160] = std::array::from_fn(|n| Frame {
            voltage: [(4_548_000.0 * wave(n)) as i32; 3],
            current: [(1_000_000.0 * wave(n)) as i32; 3],
        });
        for _ in 0..50 * seconds {
            self.meter.process(&cycle, |_| ());
        }
    }
}

/// Objects in the list of an association.
fn objects(list: &[u8]) -> Vec<(u16, Obis, Vec<u8>, Vec<u8>)> {
    let mut reader = Reader::new(list);
    let count = reader.array_of().unwrap();
    let mut objects = Vec::new();
    for _ in 0..count {
        reader.structure_of(4).unwrap();
        let (class, _, name) =
            (reader.long_unsigned().unwrap(), reader.unsigned().unwrap(), reader.logical_name().unwrap());
        reader.structure_of(2).unwrap();
        let attributes = (0..reader.array_of().unwrap()).map(|_| {
            reader.structure_of(3).unwrap();
            reader.integer().unwrap();
            let mode = reader.enumeration().unwrap();
            assert_eq!(reader.data().unwrap(), Data::NullData);
            mode
        });
        let attributes = attributes.collect();
        let methods = (0..reader.array_of().unwrap()).map(|_| {
            reader.structure_of(2).unwrap();
            reader.integer().unwrap();
            reader.enumeration().unwrap()
        });
        objects.push((class, name, attributes, methods.collect()));
    }
    reader.finish().unwrap();
    objects
}

#[test]
fn every_role_opens_its_association_and_reads_its_list_in_blocks() {
    for role in Role::ALL {
        let mut line = Line::open(THREE_PHASE, role);
        let list = line.get(15, "0-0:40.0.0", 2).unwrap();
        assert!(list.len() > 1024, "{role:?}: {} octets", list.len());
        assert_eq!(objects(&list).len(), 253, "{role:?}");
    }
    let mut line = Line::open(OMNIPOWER_IMPORT, Role::Reader);
    let list = objects(&line.get(15, "0-0:40.0.0", 2).unwrap());
    assert!(
        !list.iter().any(|(_, name, ..)| [2, 3, 9, 22, 41].contains(&name.c()) && name.a() == 1),
        "A+ of one system alone"
    );
}

#[test]
fn what_the_list_grants_is_what_the_meter_does() {
    for role in Role::ALL {
        let mut line = Line::open(THREE_PHASE, role);
        line.run(2);
        let list = objects(&line.get(15, "0-0:40.0.0", 2).unwrap());
        for (class, name, attributes, methods) in list {
            for (n, mode) in attributes.iter().enumerate() {
                let (name, attribute) = (name.to_string(), n as i8 + 1);
                let read = line.get(class, &name, attribute);
                assert_eq!(read.is_ok(), mode & 1 == 1, "{role:?} reads {class} {name} {attribute}: {read:?}");
                if let Ok(octets) = &read {
                    EncodedData::new(octets).unwrap();
                }
                // The public client was granted reading alone.
                if role == Role::Public {
                    assert_eq!(mode & 2, 0, "{class} {name} {attribute}");
                    continue;
                }
                // A value of a wrong type is refused for its type where writing is granted, and for the right elsewhere.
                let written = line.set(class, &name, attribute, &Data::Float64(1.0));
                let denied = written == DataAccessResult::READ_WRITE_DENIED;
                assert_eq!(denied, mode & 2 == 0, "{role:?} writes {class} {name} {attribute}: {written:?}");
                assert!(!written.is_success());
            }
            for (n, mode) in methods.iter().enumerate() {
                // That of an association answers a challenge, which is over.
                if class == 15 || role == Role::Public {
                    continue;
                }
                let result = line.act(class, &name.to_string(), n as i8 + 1, &[0]);
                assert_eq!(result != ActionResult::READ_WRITE_DENIED, *mode == 1, "{role:?} calls {class} {name} {n}");
            }
        }
    }
}

#[test]
fn the_registers_are_those_of_the_metrology() {
    let mut line = Line::open(THREE_PHASE, Role::Reader);
    line.run(20);
    let shown = line.meter.registers().active_import.watt_hours() as u32;
    assert!(shown > 10, "{shown}");
    assert_eq!(line.get(3, "1-0:1.8.0", 2).unwrap(), [&[6][..], &shown.to_be_bytes()].concat());
    assert_eq!(line.get(3, "1-0:1.8.0", 3).unwrap(), [2, 2, 15, 0, 22, 30]);
    let volts = Reader::new(&line.get(3, "1-0:32.7.0", 2).unwrap()).long_unsigned().unwrap();
    assert!((22_900..23_100).contains(&volts), "{volts}");
    assert_eq!(line.get(3, "1-0:1.8.1", 2), Err(DataAccessResult::OBJECT_UNDEFINED));
    assert_eq!(line.get(1, "1-0:1.8.0", 2), Err(DataAccessResult::OBJECT_CLASS_INCONSISTENT));
    assert_eq!(line.get(3, "1-0:1.8.0", 4), Err(DataAccessResult::OBJECT_UNDEFINED));
}

#[test]
fn a_clock_is_set_by_who_may_and_runs() {
    let mut line = Line::open(THREE_PHASE, Role::Installer);
    let octets = [0x07, 0xEA, 11, 21, 0xFF, 16, 30, 0, 0xFF, 0x80, 0, 0];
    assert_eq!(line.set(8, "0-0:1.0.0", 2, &Data::OctetString(&octets)), DataAccessResult::SUCCESS);
    line.run(5);
    let now = line.get(8, "0-0:1.0.0", 2).unwrap();
    assert_eq!(now[2..], [0x07, 0xEA, 11, 21, 6, 16, 30, 5, 0, 0xFF, 0xC4, 0]);
    let mut reader = Line::open(THREE_PHASE, Role::Reader);
    let denied = reader.set(8, "0-0:1.0.0", 2, &Data::OctetString(&octets));
    assert_eq!(denied, DataAccessResult::READ_WRITE_DENIED);
    assert_eq!(reader.get(8, "0-0:1.0.0", 2).unwrap()[2..4], [0x07, 0xD0], "2000, and not to be trusted");
}

#[test]
fn a_frame_that_comes_again_is_refused_and_told_in_the_log() {
    let mut line = Line::open(THREE_PHASE, Role::Management);
    let mut plain = [0; 64];
    let mut writer = Writer::new(&mut plain);
    let attribute = AttributeDescriptor { class: 3, name: "1.8.0".parse().unwrap(), attribute: 2 };
    let invoke = line.client.next_invoke();
    GetRequest::Normal { invoke, reference: attribute.into() }.encode(&mut writer);
    let length = writer.finish().unwrap();
    let mut sent = [0; 128];
    let length = line.client.request(&plain[..length], &mut sent).unwrap();
    let answer = line.exchange(&sent[..length]);
    let mut opened = [0; 64];
    assert_eq!(line.client.open(&answer, &mut opened).unwrap()[0], 0xC4);
    assert_eq!(line.client.open(&answer, &mut opened), Err(ClientError::Replayed), "an answer that comes again");
    let again = line.exchange(&sent[..length]);
    let expected = line.client.counter().to_be_bytes();
    assert_eq!(again, [&[0xD8, 1, 6][..], &expected].concat());
    // One bit of the text: not genuine, and its counter stays free.
    let mut forged = sent;
    forged[3..7].copy_from_slice(&(line.client.counter() + 5).to_be_bytes());
    forged[length - 20] ^= 1;
    assert_eq!(line.exchange(&forged[..length]), [0xD8, 1, 5]);
    assert_eq!(line.get(1, "0-0:96.11.1", 2).unwrap(), [17, 49]);
    let rows = line.get(7, "0-0:99.98.1", 2).unwrap();
    assert_eq!((rows[1], rows[rows.len() - 1]), (2, 49));
}

#[test]
fn a_wrong_key_a_wrong_mechanism_and_a_plain_request_get_nowhere() {
    let mut wrong = credentials(Role::Management, false);
    wrong.keys = Some((Key([1; 16]), Key([2; 16])));
    let refused = Line::new(THREE_PHASE, Role::Management, wrong).associate();
    assert_eq!(refused, Err(ClientError::Refused(Diagnostic::User(UserDiagnostic::AUTHENTICATION_FAILURE))));
    let refused = Line::new(THREE_PHASE, Role::Management, Credentials::public()).associate();
    assert_eq!(refused, Err(ClientError::Refused(Diagnostic::User(UserDiagnostic::CONTEXT_NOT_SUPPORTED))));
    // A key of another role.
    let refused = Line::new(THREE_PHASE, Role::Management, credentials(Role::Reader, false)).associate();
    assert!(matches!(refused, Err(ClientError::Refused(_))));
    let mut line = Line::open(THREE_PHASE, Role::Management);
    let plain = [0xC0, 1, 0xC1, 0, 3, 1, 0, 1, 8, 0, 255, 2, 0];
    assert_eq!(line.exchange(&plain), [0xD8, 1, 2]);
    line.server.disconnect();
    assert_eq!(line.exchange(&plain), [0xD8, 1, 1]);
}

#[test]
fn keys_come_wrapped_and_open_the_next_association() {
    let mut line = Line::open(THREE_PHASE, Role::Management);
    let identity = identity(10_000_001);
    let master = Key(identity.keys[0].master);
    let transfer = |wrapped: &[u8]| {
        let mut octets = vec![0; 64];
        let mut writer = Writer::new(&mut octets);
        writer.array(1);
        writer.structure(2);
        writer.enumeration(0);
        writer.octet_string_data(wrapped);
        let length = writer.finish().unwrap();
        octets.truncate(length);
        octets
    };
    let wrapped = wrap_key(&master, &Key([7; 16])).unwrap();
    let mut broken = wrapped;
    broken[3] ^= 1;
    assert_eq!(line.act(64, "0-0:43.0.2", 2, &transfer(&broken)), ActionResult::OTHER_REASON);
    assert_eq!(line.act(64, "0-0:43.0.2", 2, &transfer(&wrapped)), ActionResult::SUCCESS);
    // The association under the old key is over, and its counters go on.
    let request = [0xC0, 1, 0xC1, 0, 1, 0, 0, 42, 0, 0, 255, 2, 0];
    assert!(matches!(line.ask(|writer| writer.put(&request)), Err(ClientError::Exception(_))));
    let next = line.client.counter();
    line.client = Client::new(Credentials {
        counter: next,
        keys: Some((Key([7; 16]), Key(identity.keys[0].authentication))),
        ..credentials(Role::Management, true)
    });
    line.associate().unwrap();
    assert_eq!(line.get(1, "0-0:96.1.0", 2).unwrap()[2..], *b"10000001");
}

#[test]
fn a_dedicated_key_protects_one_association_with_counters_of_its_own() {
    for general in [false, true] {
        let dedicated = Credentials { dedicated: Some(Key([0xD0; 16])), ..credentials(Role::Management, general) };
        let mut line = Line::new(THREE_PHASE, Role::Management, dedicated);
        line.associate().unwrap();
        assert_eq!(line.get(1, "0-0:96.1.0", 2).unwrap()[2..], *b"10000001");
        let global = line.client.counter();
        let plain = [0xC0, 1, 0xC1, 0, 1, 0, 0, 96, 1, 0, 255, 2, 0];
        let mut sent = [0; 128];
        let length = line.client.request(&plain, &mut sent).unwrap();
        assert_eq!(sent[0], if general { 0xDC } else { 0xD0 });
        assert_eq!(line.client.counter(), global, "the counter of the dedicated key is another");
        let answer = line.exchange(&sent[..length]);
        let mut opened = [0; 128];
        assert_eq!(line.client.open(&answer, &mut opened).unwrap()[..4], [0xC4, 1, 0xC1, 0], "answered in kind");
        assert_eq!(answer[0], if general { 0xDC } else { 0xD4 });
        // Heard before, it is refused; and so in the next association, under another key or none.
        assert_eq!(line.exchange(&sent[..length])[..3], [0xD8, 1, 6]);
        let next = line.client.counter();
        for key in [Some(Key([0xD1; 16])), None] {
            let counter = line.client.counter().max(next);
            let again = Credentials { dedicated: key, counter, ..credentials(Role::Management, general) };
            line.client = Client::new(again);
            line.associate().unwrap();
            assert_eq!(line.exchange(&sent[..length])[..3], [0xD8, 1, 5]);
            line.get(1, "0-0:96.1.0", 2).unwrap();
        }
    }
}

#[test]
fn a_meter_without_keys_admits_the_public_client_alone() {
    let profile = *THREE_PHASE.parse::<TypeNumber>().unwrap().profile();
    let bare = || Meter::new(&profile, &Settings::delivered()).unwrap();
    let mut line = Line::new(THREE_PHASE, Role::Management, credentials(Role::Management, false));
    line.meter = bare();
    assert!(matches!(line.associate(), Err(ClientError::Refused(_))));
    let mut line = Line::new(THREE_PHASE, Role::Public, Credentials::public());
    line.meter = bare();
    line.associate().unwrap();
}

#[test]
fn an_answer_in_blocks_is_of_one_moment() {
    let mut line = Line::open(THREE_PHASE, Role::Reader);
    line.run(1);
    let clock = AttributeDescriptor { class: 8, name: "0-0:1.0.0".parse().unwrap(), attribute: 2 };
    let references = [clock.into(); 60];
    let request = GetRequest::WithList { invoke: line.client.next_invoke(), references: List::new(&references) };
    let mut plain = vec![0; 1000];
    let mut writer = Writer::new(&mut plain);
    request.encode(&mut writer);
    let length = writer.finish().unwrap();
    let mut sent = [0; 1100];
    let length = line.client.request(&plain[..length], &mut sent).unwrap();
    let mut answer = line.exchange(&sent[..length]);
    let mut whole = Vec::new();
    loop {
        let mut opened = [0; 1024];
        let plain = line.client.open(&answer, &mut opened).unwrap().to_vec();
        match Apdu::decode(&plain).unwrap() {
            Apdu::GetResponse(GetResponse::WithList { results, .. }) => {
                assert_eq!(results.len(), 60);
                return;
            }
            Apdu::GetResponse(GetResponse::WithDataBlock { last, number, result, .. }) => {
                whole.extend_from_slice(result.unwrap());
                if last {
                    break;
                }
                line.run(70);
                let invoke = line.client.next_invoke();
                let mut next = [0; 64];
                let mut writer = Writer::new(&mut next);
                GetRequest::Next { invoke, number }.encode(&mut writer);
                let length = writer.finish().unwrap();
                let length = line.client.request(&next[..length], &mut sent).unwrap();
                answer = line.exchange(&sent[..length]);
            }
            other => panic!("{other:?}"),
        }
    }
    let times: Vec<&[u8]> = whole[1..].chunks(15).collect();
    assert!(times.len() == 60 && times.iter().all(|time| *time == times[0]), "a minute passed between two blocks");
}

#[test]
fn who_asks_for_no_answer_gets_none_and_is_served() {
    let mut line = Line::open(THREE_PHASE, Role::Management);
    // SET of the inactivity time, service class 0.
    let plain = [0xC1, 1, 0x81, 0, 23, 0, 0, 22, 0, 0, 255, 8, 0, 18, 0, 77];
    let mut sent = [0; 64];
    let length = line.client.request(&plain, &mut sent).unwrap();
    assert_eq!(line.exchange(&sent[..length]), []);
    assert_eq!(line.get(23, "0-0:22.0.0", 8).unwrap(), [18, 0, 77]);
    // What is refused is not answered either.
    let denied = [0xC1, 1, 0x81, 0, 3, 1, 0, 1, 8, 0, 255, 2, 0, 18, 0, 77];
    let length = line.client.request(&denied, &mut sent).unwrap();
    assert_eq!(line.exchange(&sent[..length]), []);
}

#[test]
fn a_security_setup_names_the_client_of_its_own_role() {
    let mut line = Line::open(THREE_PHASE, Role::Management);
    assert_eq!(line.get(64, "0-0:43.0.2", 4).unwrap(), *b"\x09\x08MBB\0\0\0\0\x01");
    assert_eq!(line.get(64, "0-0:43.0.3", 4).unwrap(), [9, 0]);
    assert_eq!(line.get(64, "0-0:43.0.4", 4).unwrap(), [9, 0]);
}

#[test]
fn who_speaks_under_the_title_of_the_meter_is_refused() {
    let mut line = Line::open(THREE_PHASE, Role::Reader);
    let title = line.get(64, "0-0:43.0.2", 5);
    assert_eq!(title, Err(DataAccessResult::READ_WRITE_DENIED));
    let mut own = credentials(Role::Reader, false);
    own.title = SystemTitle(*b"KAM\x65\0\x98\x96\x81");
    let refused = Line::new(THREE_PHASE, Role::Reader, own).associate();
    assert!(matches!(refused, Err(ClientError::Refused(_))), "{refused:?}");
}

#[test]
fn an_association_is_released_by_who_has_it_alone() {
    let mut line = Line::open(THREE_PHASE, Role::Reader);
    assert_eq!(line.exchange(&[0x62, 3, 0x80, 1, 0])[2..], [0x80, 1, 1], "not finished: no proof");
    line.get(3, "1-0:1.8.0", 2).unwrap();
    line.role = Role::Public;
    assert_eq!(line.exchange(&[0x60, 0]), [0xD8, 1, 1], "another client on the same connection");
    line.role = Role::Reader;
    line.get(3, "1-0:1.8.0", 2).unwrap();
    let mut out = [0; 256];
    let length = line.client.release(&mut out).unwrap();
    assert_eq!(line.exchange(&out[..length])[0], 0x63);
    assert!(line.server.association().is_none());
}

#[test]
fn whatever_comes_is_answered_and_nothing_breaks() {
    let mut line = Line::open(THREE_PHASE, Role::Management);
    let mut state = 0x1234_5678_9ABC_DEF0_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let seeds: [&[u8]; 5] = [
        &[0xC0, 1, 0xC1, 0, 3, 1, 0, 1, 8, 0, 255, 2, 0],
        &[
            0x60, 0x1D, 0xA1, 9, 6, 7, 0x60, 0x85, 0x74, 5, 8, 1, 1, 0xBE, 0x10, 4, 0xE, 1, 0, 0, 0, 6, 0x5F, 0x1F, 4,
            0, 0, 0x7E, 0x1F, 4, 0xB0,
        ],
        &[0xC3, 1, 0xC1, 0, 15, 0, 0, 40, 0, 0, 255, 1, 1, 9, 3, 1, 2, 3],
        &[0x62, 3, 0x80, 1, 0],
        &[0xC1, 2, 0xC1, 0, 8, 0, 0, 1, 0, 0, 255, 2, 0, 0, 0, 0, 0, 1, 3, 9, 12, 7],
    ];
    for n in 0..200_000usize {
        let mut apdu = seeds[n % seeds.len()].to_vec();
        for _ in 0..next() % 4 {
            let at = next() as usize % apdu.len();
            apdu[at] = next() as u8;
        }
        apdu.truncate(1 + next() as usize % apdu.len());
        let client = if n % 3 == 0 { Role::Public } else { Role::Management };
        line.role = client;
        line.exchange(&apdu);
    }
    line.role = Role::Management;
    line.client = Client::new(Credentials { counter: 100_000, ..credentials(Role::Management, false) });
    line.associate().unwrap();
}
