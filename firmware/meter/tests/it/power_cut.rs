//! What a meter knows after a power cut, and what it never does again.

use meterbench_iec62056::server::LogicalDevice;
use meterbench_meter::{Image, Outage};

use super::*;

impl Line {
    /// The power goes; the meter starts anew with an image that went through the bytes of its memory.
    fn restart(&mut self, image: &Image, outage: Outage) {
        let image = Image::from_bytes(&image.to_bytes()).unwrap();
        self.meter = meter(THREE_PHASE);
        self.meter.restore(&image, outage);
        self.server = Server::new();
    }

    /// The least counter that the meter accepts from a role, as anybody reads it.
    fn counter_of(&mut self, role: Role) -> u32 {
        let mut public = Self::new(THREE_PHASE, Role::Public, Credentials::public());
        std::mem::swap(&mut public.meter, &mut self.meter);
        public.associate().unwrap();
        let name = format!("0-0:43.1.{}", role as u8 + 1);
        let counter = Reader::new(&public.get(1, &name, 2).unwrap()).double_long_unsigned().unwrap();
        std::mem::swap(&mut public.meter, &mut self.meter);
        counter
    }

    /// A new client that begins with the counter the meter expects.
    fn associate_anew(&mut self, keys: RoleKeys) {
        let counter = self.counter_of(self.role);
        self.client = Client::new(Credentials {
            counter,
            keys: Some((Key(keys.encryption), Key(keys.authentication))),
            ..credentials(self.role, false)
        });
        self.associate().unwrap();
    }
}

fn own_keys(role: Role) -> RoleKeys {
    identity(10_000_001).keys[role as usize - 1]
}

/// Requests as somebody hears them on the line with the numbers of their answers, and the image that was kept last.
fn overheard(line: &mut Line, requests: usize) -> (Vec<(Vec<u8>, u32)>, Option<Image>) {
    let mut heard = Vec::new();
    let mut kept = line.meter.due_image();
    for _ in 0..requests {
        let mut plain = [0; 64];
        let mut writer = Writer::new(&mut plain);
        let attribute = AttributeDescriptor { class: 8, name: "0-0:1.0.0".parse().unwrap(), attribute: 2 };
        GetRequest::Normal { invoke: line.client.next_invoke(), reference: attribute.into() }.encode(&mut writer);
        let length = writer.finish().unwrap();
        let mut sent = [0; 128];
        let length = line.client.request(&plain[..length], &mut sent).unwrap();
        let answer = line.exchange(&sent[..length]);
        // glo-get-response, length, security control, invocation counter.
        assert_eq!((answer[0], answer[2]), (0xCC, 0x30));
        kept = line.meter.due_image().or(kept);
        heard.push((sent[..length].to_vec(), u32::from_be_bytes(answer[3..7].try_into().unwrap())));
    }
    (heard, kept)
}

#[test]
fn no_request_that_was_answered_acts_again_after_a_cut() {
    for requests in [1, 2, 98, 99, 100, 101, 250] {
        let mut line = Line::open(THREE_PHASE, Role::Management);
        let (heard, kept) = overheard(&mut line, requests);
        line.restart(&kept.unwrap(), Outage::Unknown);
        line.associate_anew(own_keys(Role::Management));
        for (n, (request, _)) in heard.iter().enumerate() {
            let answer = line.exchange(request);
            assert_eq!(answer[..3], [0xD8, 1, 6], "request {n} of {requests}");
        }
    }
}

#[test]
fn an_image_is_due_once_in_a_hundred_requests() {
    let mut line = Line::open(THREE_PHASE, Role::Reader);
    let mut due = 0;
    for _ in 0..1000 {
        line.get(3, "1-0:1.8.0", 2).unwrap();
        due += usize::from(line.meter.due_image().is_some());
        assert!(line.meter.due_image().is_none());
    }
    assert!((9..=11).contains(&due), "{due}");
}

#[test]
fn no_number_and_no_challenge_of_the_meter_comes_twice() {
    let mut line = Line::open(THREE_PHASE, Role::Installer);
    let (mut numbers, mut challenges) = (Vec::new(), Vec::new());
    let mut kept = line.meter.due_image().unwrap();
    for requests in [3, 120, 1, 0, 199] {
        let (heard, due) = overheard(&mut line, requests);
        numbers.extend(heard.into_iter().map(|(_, number)| number));
        line.restart(&due.unwrap_or(kept), Outage::Unknown);
        challenges.push(line.meter.challenge());
        line.associate_anew(own_keys(Role::Installer));
        kept = line.meter.due_image().expect("the first association after a cut is due");
    }
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    challenges.sort_unstable();
    assert!(challenges.windows(2).all(|pair| pair[0] != pair[1]), "{challenges:?}");
}

#[test]
fn a_key_that_was_confirmed_is_the_key_after_a_cut() {
    let mut line = Line::open(THREE_PHASE, Role::Management);
    let before = line.meter.due_image().unwrap();
    let keys = own_keys(Role::Management);
    let wrapped = wrap_key(&Key(keys.master), &Key([7; 16])).unwrap();
    let value = [&[1, 1, 2, 2, 22, 0, 9, 24][..], &wrapped].concat();
    assert_eq!(line.act(64, "0-0:43.0.2", 2, &value), ActionResult::SUCCESS);
    let after = line.meter.due_image().expect("a key is kept before it is confirmed");
    line.restart(&after, Outage::Unknown);
    line.associate_anew(RoleKeys { encryption: [7; 16], ..keys });
    // An image shows no key of delivery, and none of another role.
    let (before, after) = (before.to_bytes(), after.to_bytes());
    let shows = |image: &[u8], key: [u8; 16]| image.windows(16).any(|part| part == key);
    assert!(shows(&after, [7; 16]) && shows(&after, keys.authentication));
    assert!(!shows(&before, keys.encryption) && !shows(&after, own_keys(Role::Reader).encryption));
}

#[test]
fn the_clock_goes_on_as_the_outage_says() {
    let mut line = Line::open(THREE_PHASE, Role::Installer);
    let octets = [0x07, 0xEA, 11, 21, 0xFF, 16, 30, 0, 0xFF, 0x80, 0, 0];
    assert_eq!(line.set(8, "0-0:1.0.0", 2, &Data::OctetString(&octets)), DataAccessResult::SUCCESS);
    assert_eq!(line.set(8, "0-0:1.0.0", 3, &Data::Long(-120)), DataAccessResult::SUCCESS);
    assert_eq!(line.set(23, "0-0:22.0.0", 8, &Data::LongUnsigned(77)), DataAccessResult::SUCCESS);
    let image = line.meter.due_image().unwrap();
    for (outage, shown) in [
        (Outage::Bridged { ms: 3 * 86_400_000 + 500 }, [0x07, 0xEA, 11, 24, 2, 17, 30, 0, 50, 0xFF, 0x88, 0]),
        (Outage::Unknown, [0x07, 0xEA, 11, 21, 6, 17, 30, 0, 0, 0xFF, 0x88, 2]),
        (Outage::Lost, [0x07, 0xD0, 1, 1, 6, 2, 0, 0, 0, 0xFF, 0x88, 1]),
    ] {
        line.restart(&image, outage);
        line.associate_anew(own_keys(Role::Installer));
        assert_eq!(line.get(8, "0-0:1.0.0", 2).unwrap()[2..], shown, "{outage:?}");
        assert_eq!(line.get(23, "0-0:22.0.0", 8).unwrap(), [18, 0, 77]);
    }
}

#[test]
fn a_used_up_counter_stays_used_up() {
    let mut line = Line::open(THREE_PHASE, Role::Reader);
    line.client = Client::new(Credentials { counter: u32::MAX - 3, ..credentials(Role::Reader, false) });
    line.associate().unwrap();
    line.get(3, "1-0:1.8.0", 2).unwrap();
    let image = line.meter.due_image().unwrap();
    line.restart(&image, Outage::Unknown);
    assert_eq!(line.counter_of(Role::Reader), u32::MAX);
}
