//! What arrives, over links of every kind.

use super::*;

#[test]
fn every_answer_arrives_whole_in_every_window() {
    for longest in [64, 100, 137, 300, 1024] {
        let mut ends = Ends::new(PLAIN, 0);
        ends.associate_plain(longest);
        // Kept, and, beyond 2048 octets, made again for each block.
        for rows in [0, 1, 10, 11, 24, 200, 408, 409, 410, 411, 1000] {
            ends.device.rows = rows;
            for window in [0, 1, 2, 7, 63] {
                let exchange = GeneralExchange::new(get(array()).len(), 10, window).unwrap();
                let mut link = Link::default();
                let answer = ends.exchange(exchange, &get(array()), &mut link).expect("an answer");
                assert_rows(&answer, rows, 0);
                assert_eq!(link.silences, 0);
            }
        }
    }
}

#[test]
fn a_window_is_kept_and_every_block_fits() {
    let mut ends = Ends::new(PLAIN, 500);
    ends.associate_plain(200);
    for window in [1, 2, 5, 63] {
        let request = get(array());
        let first = GeneralBlock { last: true, streaming: false, window, number: 1, acknowledged: 0, data: &request };
        let mut answers = ends.say_block(&first);
        let (mut number, mut said) = (0, 1);
        loop {
            let count = answers.len();
            assert!(count <= window.into());
            for (place, answer) in answers.iter().enumerate() {
                assert!(answer.len() <= 200);
                number += 1;
                let block = block(answer);
                assert_eq!((block.number, block.acknowledged), (number, said));
                let open = place + 1 < count;
                assert_eq!(block.streaming, open, "who may go on says so");
                assert!(block.last || open || count == usize::from(window), "the window is used");
                assert!(block.last || answer.len() == 198 || answer.len() == 199 || answer.len() == 200);
            }
            if block(answers.last().unwrap()).last {
                break;
            }
            said += 1;
            let acknowledgement =
                GeneralBlock { last: true, streaming: false, window, number: said, acknowledged: number, data: &[] };
            answers = ends.say_block(&acknowledgement);
        }
        assert_eq!(usize::from(number), (500_usize * 5 + 4 + 4).div_ceil(191));
        // The last block acknowledged: there is nothing more to say.
        let end =
            GeneralBlock { last: true, streaming: false, window, number: said + 1, acknowledged: number, data: &[] };
        assert!(ends.say_block(&end).is_empty());
    }
}

#[test]
fn what_is_protected_is_protected_as_a_whole_and_cut_then() {
    for mut client in keyed() {
        let mut ends = Ends::new(KEYED, 0);
        ends.associate(&mut client);
        for rows in [0, 1, 100, 408, 409, 410, 2000] {
            ends.device.rows = rows;
            assert_rows(&ask_protected(&mut ends, &mut client, &get(array()), &mut Link::default()), rows, 0);
        }
        let octets: Vec<u8> = (0..900).map(|n| n as u8).collect();
        let answer = ask_protected(&mut ends, &mut client, &set(&octets), &mut Link::default());
        let Apdu::SetResponse(SetResponse::Normal { result, .. }) = Apdu::decode(&answer).unwrap() else {
            panic!("SET.response")
        };
        assert_eq!((result, &ends.device.written), (DataAccessResult::SUCCESS, &octets));
        // Others than GET and SET, and what is refused.
        let method = MethodDescriptor { class: 9, name: memory().name, method: 1 };
        let request = encoded(|writer| {
            ActionRequest::Normal { invoke: INVOKE, method, parameter: None }.encode(writer);
        });
        let answer = ask_protected(&mut ends, &mut client, &request, &mut Link::default());
        assert!(matches!(Apdu::decode(&answer), Ok(Apdu::ActionResponse(ActionResponse::Normal { .. }))));
        assert_eq!(ends.device.acted, 1);
        let answer = ask_protected(
            &mut ends,
            &mut client,
            &get(AttributeDescriptor { class: 3, ..memory() }),
            &mut Link::default(),
        );
        assert_eq!(answer, [0xC4, 1, INVOKE.0, 1, 4]);
        let references = [array().into(), memory().into(), AttributeDescriptor { class: 3, ..memory() }.into()];
        ends.device.rows = 50;
        let request = encoded(|writer| {
            GetRequest::WithList { invoke: INVOKE, references: List::new(&references) }.encode(writer);
        });
        let answer = ask_protected(&mut ends, &mut client, &request, &mut Link::default());
        let Apdu::GetResponse(GetResponse::WithList { results, .. }) = Apdu::decode(&answer).unwrap() else {
            panic!("a list")
        };
        assert_eq!(results.iter().map(|result| result.is_ok()).collect::<Vec<_>>(), [true, true, false]);
        assert!(ends.device.notices.iter().all(|notice| *notice == Notice::Associated));
    }
}

#[test]
fn lost_blocks_are_asked_for_again_and_doubled_ones_count_once() {
    let (mut trouble, mut silences) = (0, 0);
    for seed in 0..60 {
        for (lost, doubled) in [(5, 0), (0, 3), (7, 5)] {
            let mut link = Link::bad(seed, lost, doubled, 0);
            let mut ends = Ends::new(PLAIN, 300 + seed as usize * 10);
            ends.associate_plain(150);
            let window = [1, 3, 8][seed as usize % 3];
            let exchange = GeneralExchange::new(get(array()).len(), 64, window).unwrap();
            let answer = ends.exchange(exchange, &get(array()), &mut link).expect("an answer");
            assert_rows(&answer, ends.device.rows, 0);
            // A long request in many blocks.
            let octets = Random(seed).octets(700);
            let exchange = GeneralExchange::new(set(&octets).len(), 50, window).unwrap();
            let answer = ends.exchange(exchange, &set(&octets), &mut link).expect("an answer");
            assert_eq!(answer, [0xC5, 1, INVOKE.0, 0]);
            assert_eq!(ends.device.written, octets);
            (trouble, silences) = (trouble + link.trouble, silences + link.silences);
        }
    }
    assert!(trouble > 1000 && silences > 100, "{trouble} blocks were treated badly, {silences} times nothing came");
}

#[test]
fn protected_answers_survive_the_same() {
    let mut trouble = 0;
    for seed in 0..40 {
        for (lost, doubled) in [(6, 0), (0, 4), (9, 6)] {
            let mut client = keyed().remove(seed as usize % 4);
            let mut ends = Ends::new(KEYED, 1500);
            ends.associate(&mut client);
            let mut link = Link::bad(seed, lost, doubled, 0);
            assert_rows(&ask_protected(&mut ends, &mut client, &get(array()), &mut link), 1500, 0);
            assert_eq!(ends.device.notices, [Notice::Associated], "a doubled request is no replay");
            trouble += link.trouble;
        }
    }
    assert!(trouble > 300, "{trouble} blocks were treated badly");
}

#[test]
fn blocks_out_of_order_are_dropped_and_sent_again() {
    let mut trouble = 0;
    for seed in 0..60 {
        let mut ends = Ends::new(PLAIN, 500);
        ends.associate_plain(150);
        let mut link = Link::bad(seed, 0, 0, 3);
        let exchange = GeneralExchange::new(get(array()).len(), 64, 7).unwrap();
        let answer = ends.exchange(exchange, &get(array()), &mut link).expect("an answer");
        assert_rows(&answer, 500, 0);
        trouble += link.trouble;
    }
    assert!(trouble > 100, "{trouble} blocks were swapped");
}

#[test]
fn a_client_that_keeps_what_came_behind_a_gap_gets_the_missing_block_alone() {
    let mut client = keyed().remove(0);
    let mut ends = Ends::new(KEYED, 2000);
    ends.associate(&mut client);
    let mut request = [0; 64];
    let length = client.request(&get(array()), &mut request).unwrap();
    let sent = ends.say_block(&whole_request(&request[..length], 5));
    assert_eq!(sent.len(), 5);
    // Block 3 did not arrive: it is wanted alone, and then what follows the window.
    let again = ends.say_block(&acknowledgement(2, 2, 1));
    assert_eq!(again.len(), 1);
    assert_eq!((block(&again[0]).number, block(&again[0]).data), (3, block(&sent[2]).data));
    let next = ends.say_block(&acknowledgement(3, 5, 63));
    let numbers: Vec<u16> = next.iter().map(|apdu| block(apdu).number).collect();
    assert_eq!(numbers, (6..=10).collect::<Vec<_>>());
    let mut whole = Vec::new();
    sent.iter().chain(&next).for_each(|apdu| whole.extend_from_slice(block(apdu).data));
    let mut opened = vec![0; whole.len()];
    assert_rows(client.open(&whole, &mut opened).unwrap(), 2000, 0);
    // Once more from the middle, and from its end.
    for (word, acknowledged, expected) in [(4, 7, &next[2..4]), (5, 9, &next[4..])] {
        let again = ends.say_block(&acknowledgement(word, acknowledged, 2));
        assert!(again.iter().map(|apdu| block(apdu).data).eq(expected.iter().map(|apdu| block(apdu).data)));
        assert!(again.iter().all(|apdu| block(apdu).acknowledged == word));
    }
}

#[test]
fn a_plain_request_is_answered_in_the_blocks_of_its_service() {
    let mut ends = Ends::new(PLAIN, 500);
    ends.associate_plain(200);
    let answer = ends.ask(&get(array()));
    assert!(matches!(Apdu::decode(&answer), Ok(Apdu::GetResponse(GetResponse::WithDataBlock { number: 1, .. }))));
    // A block in between ends that transfer, and what comes in one ends one in general blocks.
    assert_eq!(ends.say_block(&whole_request(&get(array()), 2)).len(), 2);
    let next = encoded(|writer| GetRequest::Next { invoke: INVOKE, number: 1 }.encode(writer));
    let answer = ends.ask(&next);
    let expected = GetResponse::WithDataBlock {
        invoke: INVOKE,
        last: true,
        number: 1,
        result: Err(DataAccessResult::LONG_GET_ABORTED),
    };
    assert_eq!(answer, encoded(|writer| expected.encode(writer)));
    assert_eq!(exception(&ends.say_block(&acknowledgement(2, 2, 2))[0]), NOT_POSSIBLE);
}

#[test]
fn without_blocks_of_the_service_a_long_answer_comes_in_general_ones() {
    let mut ends = Ends::new(GENERAL_ONLY, 10);
    ends.associate_plain(200);
    // What fits comes as it always did.
    assert_rows(&ends.ask(&get(array())), 10, 0);
    for rows in [300, 900] {
        ends.device.rows = rows;
        let mut answers = ends.say(&get(array()));
        let mut receiver = GeneralBlockReceiver::new();
        let mut whole = vec![0; 6000];
        let (mut number, mut length) = (0, None);
        while length.is_none() {
            for answer in &answers {
                if let GeneralProgress::Complete { length: all } = receiver.accept(&block(answer), &mut whole).unwrap()
                {
                    length = Some(all);
                }
            }
            number += 1;
            // Until the client has said what it takes, one at a time.
            assert!(number > 1 || answers.len() == 1);
            answers = ends.say_block(&acknowledgement(number, receiver.acknowledged(), 4));
        }
        assert_rows(&whole[..length.unwrap()], rows, 0);
    }
}

#[test]
fn a_push_of_a_meter_in_general_blocks_is_read() {
    let vectors = vectors("general-blocks.json");
    let mut receiver = GeneralBlockReceiver::new();
    let mut whole = [0; 400];
    let mut length = None;
    for (place, vector) in vectors.iter().enumerate() {
        let octets = vector.octets("apdu");
        let arrived = block(&octets);
        assert_eq!(encoded(|writer| arrived.encode(writer)), octets);
        // Nobody confirms: a window of nothing, and streaming to the end.
        assert_eq!((arrived.window, arrived.streaming, arrived.acknowledged), (0, true, 0));
        assert_eq!((usize::from(arrived.number), arrived.last), (place + 1, place == 2));
        if let GeneralProgress::Complete { length: all } = receiver.accept(&arrived, &mut whole).unwrap() {
            length = Some(all);
        }
    }
    let Apdu::DataNotification(notification) = Apdu::decode(&whole[..length.unwrap()]).unwrap() else {
        panic!("data-notification")
    };
    assert_eq!(notification.time.unwrap().date.year, 2026);
    let fields: Vec<_> = notification.body.value().sequence().unwrap().iter().collect();
    assert_eq!(fields.len(), 13);
    assert_eq!((fields[0].sequence().unwrap().len(), fields[4].integer()), (13, Some(0x0036_1F58)));
}

#[test]
fn what_comes_in_pieces_is_one_ciphered_apdu() {
    // An answer of the server put together without the client: the envelope is around the whole.
    let mut client = Client::new(credentials(KEYED, true, None)).with_general_blocks(9);
    let mut ends = Ends::new(KEYED, 300);
    ends.associate(&mut client);
    let mut request = [0; 64];
    let length = client.request(&get(array()), &mut request).unwrap();
    let answers = ends.say_block(&whole_request(&request[..length], 9));
    let whole: Vec<u8> = answers.iter().flat_map(|answer| block(answer).data.to_vec()).collect();
    assert!(answers.len() > 1);
    let Ciphered::GeneralGlobal { system_title, protected } = Ciphered::decode(&whole).unwrap() else {
        panic!("general-glo-ciphering")
    };
    assert_eq!((system_title, protected.counter), (&b"KAM\0\0\0\0\x02"[..], ends.device.sent));
    let mut opened = vec![0; whole.len()];
    assert!(client.open(&whole, &mut opened).is_ok());
    assert_eq!(client.open(&whole, &mut opened), Err(ClientError::Replayed));
}
