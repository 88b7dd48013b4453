//! What is refused, and what is never said.

use super::*;

const REFUSED: ExceptionResponse = ExceptionResponse::new(StateError::SERVICE_NOT_ALLOWED, ServiceError::OTHER_REASON);
const NOT_SUPPORTED: ExceptionResponse =
    ExceptionResponse::new(StateError::SERVICE_NOT_ALLOWED, ServiceError::SERVICE_NOT_SUPPORTED);
const NO_REQUEST: ExceptionResponse =
    ExceptionResponse::new(StateError::SERVICE_UNKNOWN, ServiceError::SERVICE_NOT_SUPPORTED);

#[test]
fn nothing_else_is_ever_said_under_the_same_counter() {
    for (acknowledged, changes) in [(0, true), (2, true), (5, true), (0, false), (2, false), (5, false)] {
        let mut client = keyed().remove(0);
        // Too long to be kept: it is made again for every block.
        let mut ends = Ends::new(KEYED, 2000);
        ends.associate(&mut client);
        let mut request = [0; 64];
        let length = client.request(&get(array()), &mut request).unwrap();
        let sent = ends.say_block(&whole_request(&request[..length], 5));
        if changes {
            ends.device.salt.set(1);
        }
        let counter = ends.device.sent;
        let again = ends.say_block(&acknowledgement(2, acknowledged, 5));
        if changes && acknowledged < 5 {
            assert_eq!(exception(&again[0]), REFUSED);
            assert_eq!(again.len(), 1);
            assert_eq!(exception(&ends.say_block(&acknowledgement(3, acknowledged, 5))[0]), NOT_POSSIBLE, "it is over");
        } else if acknowledged < 5 {
            let expected: Vec<_> = sent[acknowledged.into()..].iter().map(|apdu| block(apdu).data).collect();
            let said: Vec<_> = again.iter().map(|apdu| block(apdu).data).collect();
            assert_eq!(said[..expected.len()], expected);
        } else {
            // What was not said yet is said once: the tag is that of what was said.
            let mut whole = Vec::new();
            sent.iter().chain(&again).for_each(|apdu| whole.extend_from_slice(block(apdu).data));
            let mut opened = vec![0; whole.len()];
            assert!(client.open(&whole, &mut opened).is_ok());
        }
        assert_eq!(ends.device.sent, counter, "no counter was taken");
    }
}

#[test]
fn a_doubled_request_is_answered_again_and_is_no_replay() {
    let mut client = keyed().remove(1);
    let mut ends = Ends::new(KEYED, 2000);
    ends.associate(&mut client);
    let mut request = [0; 64];
    let length = client.request(&get(array()), &mut request).unwrap();
    let sent = ends.say_block(&whole_request(&request[..length], 3));
    assert_eq!(ends.say_block(&whole_request(&request[..length], 3)), sent);
    // A request that came once in one APDU, and again in a block, is one.
    let length = client.request(&get(memory()), &mut request).unwrap();
    let mut opened = [0; 64];
    assert!(client.open(&ends.ask(&request[..length]), &mut opened).is_ok());
    let answers = ends.say_block(&whole_request(&request[..length], 3));
    assert!(exception(&answers[0]).expected_counter.is_some());
    assert_eq!(ends.device.notices, [Notice::Associated, Notice::Replayed]);
}

#[test]
fn who_did_not_agree_on_general_blocks_gets_none() {
    let mut client = Client::new(credentials(KEYED, false, None));
    let mut ends = Ends::new(KEYED, 2000);
    ends.associate(&mut client);
    assert!(client.general_exchange(10).is_none());
    let mut request = [0; 64];
    let length = client.request(&get(array()), &mut request).unwrap();
    assert_eq!(exception(&ends.say_block(&whole_request(&request[..length], 3))[0]), NOT_SUPPORTED);
    // The request was not looked at: its counter is still good.
    let mut opened = [0; 1024];
    assert!(client.open(&ends.ask(&request[..length]), &mut opened).is_ok());
    // And before an association there is nothing to agree on.
    let mut ends = Ends::new(PLAIN, 1);
    assert_eq!(exception(&ends.say_block(&whole_request(&get(array()), 3))[0]), NOT_POSSIBLE);
}

#[test]
fn protection_is_demanded_inside_of_blocks_too() {
    let mut client = keyed().remove(0);
    let mut ends = Ends::new(KEYED, 10);
    ends.associate(&mut client);
    assert_eq!(exception(&ends.say_block(&whole_request(&get(array()), 3))[0]), NOT_SUPPORTED);
    assert_eq!(ends.device.notices, [Notice::Associated, Notice::NotProtected]);
    // A tag that is not right: nothing of the request is carried out.
    let mut request = [0; 128];
    let length = client.request(&set(b"forged"), &mut request).unwrap();
    request[length - 1] ^= 1;
    let said = exception(&ends.say_block(&whole_request(&request[..length], 3))[0]);
    assert_eq!(said.service, ServiceError::DECIPHERING_ERROR);
    assert!(ends.device.written.is_empty());
}

#[test]
fn hostile_blocks_are_refused() {
    let ready = |rows| {
        let mut ends = Ends::new(PLAIN, rows);
        ends.associate_plain(150);
        ends
    };
    let said = |ends: &mut Ends, block: GeneralBlock<'_>| {
        let answers = ends.say_block(&block);
        assert!(answers.len() <= 1);
        answers.first().map(|answer| exception(answer))
    };
    let request = get(array());
    // Nothing is under way.
    for acknowledged in [0, 1, u16::MAX] {
        for number in [1, 2, u16::MAX] {
            assert_eq!(said(&mut ready(10), acknowledgement(number, acknowledged, 9)), Some(NOT_POSSIBLE));
        }
    }
    // A block is acknowledged that was not sent.
    for acknowledged in [4, 5, 255, u16::MAX] {
        let mut ends = ready(500);
        assert_eq!(ends.say_block(&whole_request(&request, 3)).len(), 3);
        assert_eq!(said(&mut ends, acknowledgement(2, acknowledged, 3)), Some(REFUSED));
        assert_eq!(said(&mut ends, acknowledgement(3, 1, 3)), Some(NOT_POSSIBLE), "the transfer is over");
    }
    // More of a request that was whole; and its number is the highest there is.
    let mut ends = ready(500);
    ends.say_block(&whole_request(&request, 3));
    assert_eq!(said(&mut ends, GeneralBlock { number: 2, acknowledged: 3, ..whole_request(b"x", 3) }), Some(REFUSED));
    let mut ends = ready(500);
    ends.say_block(&whole_request(&request, 3));
    let acknowledged = ends.say_block(&acknowledgement(u16::MAX, 3, 3));
    assert_eq!(block(&acknowledged[0]).acknowledged, u16::MAX);
    // A word that comes late changes nothing, and the transfer goes on.
    assert_eq!(said(&mut ends, acknowledgement(2, 1, 3)), None);
    assert_eq!(block(&ends.say_block(&acknowledgement(3, 6, 1))[0]).number, 7);
    // Block 0 gives up.
    assert_eq!(said(&mut ends, acknowledgement(0, 0, 0)), None);
    assert_eq!(said(&mut ends, acknowledgement(4, 7, 3)), Some(NOT_POSSIBLE));
    // A request without an end.
    let mut ends = ready(10);
    let piece = [0xC1; 100];
    for number in 1..=10 {
        let block = GeneralBlock { last: false, number, ..whole_request(&piece, 3) };
        assert_eq!(block_of(&ends.say_block(&block)).acknowledged, number);
    }
    let too_long = ExceptionResponse::new(StateError::SERVICE_NOT_ALLOWED, ServiceError::PDU_TOO_LONG);
    let block = GeneralBlock { last: false, number: 11, ..whole_request(&piece, 3) };
    assert_eq!(said(&mut ends, block), Some(too_long));
    // A piece behind a gap, of nothing at first.
    let mut ends = ready(10);
    for number in [2, 500, u16::MAX] {
        let answers = ends.say_block(&GeneralBlock { number, ..whole_request(&request, 3) });
        assert_eq!((block_of(&answers).acknowledged, block_of(&answers).data), (0, &[][..]));
    }
    // What opens and releases associations, a block in a block, and what is nothing at all.
    for (inside, why) in [
        (vec![0x60, 0], NO_REQUEST),
        (vec![0x62, 3, 0x80, 1, 0], NO_REQUEST),
        (encoded(|writer| whole_request(&request, 3).encode(writer)), NO_REQUEST),
        (vec![0xC0], ExceptionResponse::new(StateError::SERVICE_UNKNOWN, ServiceError::OTHER_REASON)),
        (vec![0xFF; 9], NO_REQUEST),
    ] {
        let mut ends = ready(10);
        assert_eq!(said(&mut ends, whole_request(&inside, 3)), Some(why), "{inside:02X?}");
        assert!(ends.server.association().is_some());
    }
    // What has no room for itself.
    let mut ends = ready(10);
    let unknown = ExceptionResponse::new(StateError::SERVICE_UNKNOWN, ServiceError::OTHER_REASON);
    for octets in [&[0xE0][..], &[0xE0, 0x80, 0, 1, 0], &[0xE0, 0x80, 0, 1, 0, 0, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 1]] {
        assert_eq!(exception(&ends.ask(octets)), unknown);
    }
}

fn block_of(answers: &[Vec<u8>]) -> GeneralBlock<'_> {
    assert_eq!(answers.len(), 1);
    block(&answers[0])
}

#[test]
fn a_request_begins_anew_in_the_middle_of_another() {
    let mut ends = Ends::new(PLAIN, 10);
    ends.associate_plain(150);
    let (first, second) = (set(&[1; 200]), set(&[2; 200]));
    let piece = |octets, number, last| GeneralBlock { last, number, ..whole_request(octets, 3) };
    for (octets, written) in [(&first, 1), (&second, 2)] {
        assert_eq!(block_of(&ends.say_block(&piece(&first[..50], 1, false))).acknowledged, 1);
        assert_eq!(block_of(&ends.say_block(&piece(&first[50..100], 2, false))).acknowledged, 2);
        // The first block once more is the same request, another one another request.
        let begun = block_of(&ends.say_block(&piece(&octets[..100], 1, false))).acknowledged;
        assert_eq!(begun, if written == 1 { 2 } else { 1 });
        let rest = piece(&octets[100..], begun + 1, true);
        assert_eq!(block_of(&ends.say_block(&rest)).data, [0xC5, 1, INVOKE.0, 0]);
        assert_eq!(ends.device.written, [written; 200]);
    }
}

#[test]
fn who_asks_for_no_answer_gets_none() {
    let mut ends = Ends::new(PLAIN, 500);
    ends.associate_plain(150);
    let mut unconfirmed = get(array());
    unconfirmed[2] = 0x81;
    assert!(ends.say_block(&whole_request(&unconfirmed, 3)).is_empty());
    assert_eq!(exception(&ends.say_block(&acknowledgement(2, 0, 3))[0]), NOT_POSSIBLE);
}

#[test]
fn an_answer_of_a_server_that_keeps_to_no_rule_is_refused_by_the_client() {
    use meterbench_iec62056::apdu::transfer::GeneralBlockError;
    let mut buffer = [0; 100];
    let begun = || {
        let mut exchange = GeneralExchange::new(10, 50, 4).unwrap();
        let mut space = [0; 50];
        assert_eq!(exchange.next(&[7; 10], &mut space).unwrap().unwrap().number, 1);
        exchange
    };
    let block = |number, acknowledged, data, last| GeneralBlock {
        last,
        streaming: false,
        window: 1,
        number,
        acknowledged,
        data,
    };
    assert_eq!(begun().accept(&block(1, 1, &[1, 2], true), &mut buffer), Ok(Some(2)));
    assert_eq!(begun().accept(&block(0, 0, &[], true), &mut buffer), Err(GeneralBlockError::Aborted));
    assert_eq!(begun().accept(&block(1, 0, &[1], true), &mut buffer), Err(GeneralBlockError::Order));
    let error = begun().accept(&block(1, 2, &[1], true), &mut buffer);
    assert_eq!(error, Err(GeneralBlockError::Acknowledgement { sent: 1, acknowledged: 2 }));
    let error = begun().accept(&block(1, 1, &[1; 101], true), &mut buffer);
    assert_eq!(error, Err(GeneralBlockError::TooLong { capacity: 100 }));
    // For ever the same.
    let mut exchange = begun();
    let ended = (0..200).find_map(|_| exchange.accept(&block(1, 1, &[1], false), &mut buffer).err());
    assert_eq!(ended, Some(GeneralBlockError::Order));
    let mut exchange = begun();
    let ended = (0..200).find_map(|_| exchange.accept(&block(9, 1, &[1], false), &mut buffer).err());
    assert_eq!(ended, Some(GeneralBlockError::Order));
}

#[test]
fn damaged_blocks_never_do_anything_but_be_refused() {
    let mut random = Random(77);
    let mut ends = Ends::new(PLAIN, 300);
    ends.associate_plain(150);
    let mut client = Client::new(credentials(KEYED, false, None)).with_general_blocks(4);
    let mut keyed = Ends::new(KEYED, 300);
    keyed.associate(&mut client);
    let mut said = 0;
    for _ in 0..200_000 {
        let request = if random.below(4) == 0 { set(&[7; 60]) } else { get(array()) };
        let from = random.below(request.len());
        let number = [1, 1, 1, 2, 2, 3, 4, 9, 0, u16::MAX][random.below(10)];
        let acknowledged = [0, 0, 1, 2, 3, 4, 8, u16::MAX][random.below(8)];
        let data = match random.below(4) {
            0 => &[][..],
            1 => &request[from..],
            _ => &request[..],
        };
        let block = GeneralBlock {
            last: random.below(3) > 0,
            streaming: random.below(3) == 0,
            window: random.below(64) as u8,
            number,
            acknowledged,
            data,
        };
        let mut apdu = encoded(|writer| block.encode(writer));
        if random.below(3) == 0 {
            let at = random.below(apdu.len());
            apdu[at] ^= 1 << random.below(8);
        }
        if apdu[0] == 0x60 || apdu[0] == 0x62 {
            continue;
        }
        for answer in ends.say(&apdu) {
            assert!(answer.len() <= 150);
            said += 1;
            _ = Apdu::decode(&answer).unwrap();
        }
        for answer in keyed.say(&apdu) {
            assert!(answer[0] == 0xD8 || block_of(&[answer]).data.is_empty(), "nothing is said to a stranger");
        }
    }
    assert!(said > 100_000, "{said} blocks came of it");
    assert!(keyed.device.written.is_empty());
}
