//! The object list and a load profile in general blocks, over the optical head and over the network.

use meterbench_iec62056::apdu::GeneralBlock;
use meterbench_iec62056::apdu::transfer::GeneralExchange;
use meterbench_iec62056::hdlc::Expect;
use meterbench_iec62056::wrapper::{HEADER, Wpdu};
use meterbench_meter::port::NetworkPort;

use super::ports::Head;
use super::*;

/// What carries an APDU to a meter.
trait Carrier {
    /// All that comes of it.
    fn say(&mut self, apdu: &[u8]) -> Vec<Vec<u8>>;
}

struct Network(Meter, NetworkPort, u16);

impl Carrier for Network {
    fn say(&mut self, apdu: &[u8]) -> Vec<Vec<u8>> {
        let mut sent = [0; 1100];
        let length = Wpdu { source: self.2, destination: 1, data: apdu }.encode(&mut sent).unwrap();
        let mut answers = Vec::new();
        assert!(self.1.receive(&mut self.0, &sent[..length], |wpdu| {
            assert_eq!(usize::from(wpdu[7]) + 256 * usize::from(wpdu[6]), wpdu.len() - HEADER);
            answers.push(wpdu[HEADER..].to_vec());
        }));
        answers
    }
}

impl Carrier for Head {
    fn say(&mut self, apdu: &[u8]) -> Vec<Vec<u8>> {
        let now = self.now();
        self.link.send(apdu, Expect::Answer, now).unwrap();
        let mut answers = vec![self.answer().expect("an answer")];
        // A block behind which another follows is taken, and the link asked for more.
        while matches!(
            Apdu::decode(answers.last().unwrap()),
            Ok(Apdu::GeneralBlock(GeneralBlock { streaming: true, .. }))
        ) {
            let now = self.now();
            self.link.expect_more(now).unwrap();
            answers.push(self.answer().expect("another block"));
        }
        answers
    }
}

fn associate(carrier: &mut impl Carrier, client: &mut Client) {
    let mut out = [0; 512];
    let length = client.associate(&mut out).unwrap();
    if client.associated(&carrier.say(&out[..length])[0]).unwrap() {
        let length = client.reply(&mut out).unwrap();
        client.replied(&carrier.say(&out[..length])[0]).unwrap();
    }
}

/// The plain answer, and the blocks it came in.
fn ask(carrier: &mut impl Carrier, client: &mut Client, reference: AttributeReference<'_>) -> (Vec<u8>, usize) {
    let mut plain = [0; 200];
    let mut writer = Writer::new(&mut plain);
    GetRequest::Normal { invoke: client.next_invoke(), reference }.encode(&mut writer);
    let length = writer.finish().unwrap();
    let mut request = [0; 300];
    let length = client.request(&plain[..length], &mut request).unwrap();
    let mut exchange: GeneralExchange = client.general_exchange(length).expect("the meter offers general blocks");
    let (mut whole, mut space, mut blocks) = (vec![0; 100_000], [0; LONGEST_APDU], 0);
    loop {
        let block = exchange.next(&request[..length], &mut space).unwrap().expect("it is the client's turn");
        let mut apdu = vec![0; block.data.len() + GeneralBlock::OVERHEAD];
        let mut writer = Writer::new(&mut apdu);
        block.encode(&mut writer);
        let sent = writer.finish().unwrap();
        for answer in carrier.say(&apdu[..sent]) {
            let Ok(Apdu::GeneralBlock(block)) = Apdu::decode(&answer) else { panic!("a block: {answer:02X?}") };
            blocks += 1;
            if let Some(length) = exchange.accept(&block, &mut whole).unwrap() {
                let mut opened = vec![0; length];
                return (client.open(&whole[..length], &mut opened).unwrap().to_vec(), blocks);
            }
        }
    }
}

fn value(answer: &[u8]) -> Vec<u8> {
    let Ok(Apdu::GetResponse(GetResponse::Normal { result, .. })) = Apdu::decode(answer) else { panic!("a value") };
    result.unwrap().octets().to_vec()
}

#[test]
fn an_object_list_in_general_blocks_is_the_one_in_blocks_of_its_service() {
    for (role, general) in [(Role::Management, false), (Role::Reader, true)] {
        let object_list = AttributeDescriptor { class: 15, name: "0-0:40.0.0".parse().unwrap(), attribute: 2 };
        let expected = Line::open(THREE_PHASE, role).get(15, "0-0:40.0.0", 2).unwrap();
        assert!(expected.len() > 2048, "it is made again for each block");

        let mut client = Client::new(credentials(role, general)).with_general_blocks(3);
        let mut head = Head::of(meter(THREE_PHASE), role.client());
        let now = head.now();
        head.link.connect(now);
        assert_eq!(head.answer(), None);
        associate(&mut head, &mut client);
        let (answer, blocks) = ask(&mut head, &mut client, object_list.into());
        assert_eq!(value(&answer), expected);
        assert!(blocks > 3, "{blocks} blocks are more than a window");

        let mut client = Client::new(credentials(role, general)).with_general_blocks(3);
        let mut network = Network(meter(THREE_PHASE), NetworkPort::default(), role.client());
        associate(&mut network, &mut client);
        let (answer, again) = ask(&mut network, &mut client, object_list.into());
        assert_eq!((value(&answer), again), (expected, blocks));
    }
}

#[test]
fn the_public_client_is_offered_no_general_blocks() {
    let mut client = Client::new(Credentials::public()).with_general_blocks(3);
    let mut network = Network(meter(THREE_PHASE), NetworkPort::default(), 16);
    associate(&mut network, &mut client);
    assert!(client.general_exchange(20).is_none());
}
