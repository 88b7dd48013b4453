//! Server and client talk in blocks, and every rule about block numbers is broken once.

use meterbench_iec62056::apdu::transfer::{
    Answer, BlockReceiver, BlockSender, BlockUpload, GeneralBlockReceiver, GeneralBlockSender, GeneralProgress,
    Progress, ReceiveError,
};
use meterbench_iec62056::apdu::{
    ActionResponse, ActionResult, Apdu, AttributeDescriptor, DataAccessResult, DataBlock, GetResponse,
    InvokeIdAndPriority, SetRequest,
};
use meterbench_iec62056::data::EncodedData;
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Writer;

use crate::common::{Random, encoded, vectors};

const INVOKE: InvokeIdAndPriority = InvokeIdAndPriority(0xC1);

/// A profile of so many rows, produced row by row; rows nobody wants are skipped.
fn profile(rows: usize) -> impl Fn(&mut Writer<'_>) {
    move |writer| {
        writer.array(rows);
        for row in 0..rows {
            if writer.wants(12) {
                writer.structure(2);
                writer.double_long_unsigned(row as u32);
                writer.double_long_unsigned(!(row as u32));
            } else {
                writer.skip(12);
            }
        }
    }
}

fn block(octets: &[u8]) -> (bool, u32, Result<&[u8], DataAccessResult>) {
    match Apdu::decode(octets).unwrap() {
        Apdu::GetResponse(GetResponse::WithDataBlock { last, number, result, invoke }) => {
            assert_eq!(invoke, INVOKE);
            (last, number, result)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_answer_arrives_whole_whatever_the_longest_apdu() {
    for rows in [0, 1, 9, 10, 11, 20, 21, 22, 100, 1440] {
        let whole = encoded(profile(rows));
        for longest in [13, 64, 127, 128, 137, 138, 139, 140, 141, 200, 265, 266, 267, 268, 269, 500, 1024, 70_000] {
            let mut out = vec![0; longest];
            let mut sender = BlockSender::new();
            let mut length = sender.start(Answer::Get, INVOKE, &mut out, profile(rows)).unwrap();
            if whole.len() + 4 <= longest {
                assert_eq!(out[4..length], whole);
                assert!(!sender.is_sending());
                continue;
            }
            let mut receiver = BlockReceiver::new();
            let mut buffer = vec![0; whole.len()];
            let mut blocks = 0;
            let received = loop {
                blocks += 1;
                assert!(length <= longest);
                let (last, number, raw) = block(&out[..length]);
                assert!(last || length + 1 >= longest, "{length} of {longest} octets used");
                let block = DataBlock { last, number, raw: raw.unwrap() };
                let progress =
                    if number == 1 { receiver.first(&block, &mut buffer) } else { receiver.next(&block, &mut buffer) };
                match progress.unwrap() {
                    Progress::More { number } => {
                        length = sender.next(Answer::Get, INVOKE, number, &mut out, profile(rows)).unwrap();
                    }
                    Progress::Complete { length, number } => {
                        assert_eq!(number, blocks);
                        break length;
                    }
                }
            };
            assert_eq!(buffer[..received], whole);
            assert!(!sender.is_sending());
        }
    }
}

#[test]
fn the_published_blocks_are_what_the_sender_sends() {
    let vectors = vectors("xdlms.json");
    for id in ["lp-block-1", "lp-block-2"] {
        let octets = vectors.iter().find(|vector| vector.id == id).unwrap().octets("apdu");
        let (last, number, raw) = block(&octets);
        // What the blocks do not carry is made up; the first block must be the published one.
        let (raw, more) = (raw.unwrap(), if last { 0 } else { 50 });
        let produce = |writer: &mut Writer<'_>| {
            writer.put(raw);
            writer.put(&vec![0; more]);
        };
        let mut out = vec![0; octets.len()];
        let length = BlockSender::new().start(Answer::Get, INVOKE, &mut out, produce).unwrap();
        if last {
            assert_eq!((number, &out[4..length]), (1, raw), "one block fits without blocks");
        } else {
            assert_eq!(out[..length], octets, "{id}");
        }
    }
}

#[test]
fn a_wrong_block_number_ends_the_transfer() {
    let mut out = [0; 64];
    let mut sender = BlockSender::new();
    let _ = sender.start(Answer::Get, INVOKE, &mut out, profile(100)).unwrap();
    let length = sender.next(Answer::Get, INVOKE, 2, &mut out, profile(100)).unwrap();
    assert_eq!(block(&out[..length]), (true, 2, Err(DataAccessResult::DATA_BLOCK_NUMBER_INVALID)));
    let length = sender.next(Answer::Get, INVOKE, 1, &mut out, profile(100)).unwrap();
    assert_eq!(block(&out[..length]), (true, 1, Err(DataAccessResult::NO_LONG_GET_IN_PROGRESS)));
}

#[test]
fn a_request_in_between_aborts_the_transfer() {
    let mut out = [0; 64];
    let mut sender = BlockSender::new();
    let _ = sender.start(Answer::Get, INVOKE, &mut out, profile(100)).unwrap();
    sender.interrupt();
    let length = sender.next(Answer::Get, INVOKE, 1, &mut out, profile(100)).unwrap();
    assert_eq!(block(&out[..length]), (true, 1, Err(DataAccessResult::LONG_GET_ABORTED)));
    let length = sender.next(Answer::Get, INVOKE, 1, &mut out, profile(100)).unwrap();
    assert_eq!(block(&out[..length]), (true, 1, Err(DataAccessResult::NO_LONG_GET_IN_PROGRESS)));
}

#[test]
fn a_value_that_changes_its_length_ends_the_transfer() {
    let mut out = [0; 64];
    let mut sender = BlockSender::new();
    let _ = sender.start(Answer::Get, INVOKE, &mut out, profile(100)).unwrap();
    let length = sender.next(Answer::Get, INVOKE, 1, &mut out, profile(101)).unwrap();
    assert_eq!(block(&out[..length]).2, Err(DataAccessResult::DATA_BLOCK_UNAVAILABLE));
    assert!(!sender.is_sending());
}

#[test]
fn calls_in_any_order_are_answered_within_the_longest_apdu() {
    let mut random = Random(4);
    let mut sender = BlockSender::new();
    let mut number = 0;
    for _ in 0..50_000 {
        let mut out = vec![0; random.below(300)];
        let answer = [Answer::Get, Answer::GetWithList, Answer::Action][random.below(3)];
        let rows = random.below(60);
        let written = match random.below(10) {
            0 => sender.start(answer, INVOKE, &mut out, profile(rows)),
            1 => {
                sender.interrupt();
                continue;
            }
            2 => sender.next(answer, INVOKE, random.next() as u32, &mut out, profile(rows)),
            _ => sender.next(Answer::Get, INVOKE, number, &mut out, profile(40)),
        };
        let Ok(written) = written else { continue };
        match Apdu::decode(&out[..written]) {
            Ok(Apdu::GetResponse(GetResponse::WithDataBlock { number: sent, .. })) => number = sent,
            // What stands in an undivided list or outcome is made up here and need not be one.
            Ok(_) | Err(_) => number = 1,
        }
    }
}

#[test]
fn an_action_answers_in_blocks_and_refuses_in_its_own_words() {
    let mut out = [0; 64];
    let mut sender = BlockSender::new();
    let whole = encoded(profile(20));
    let mut length = sender.start(Answer::Action, INVOKE, &mut out, profile(20)).unwrap();
    let mut received = Vec::new();
    loop {
        let Apdu::ActionResponse(ActionResponse::WithBlock { block, .. }) = Apdu::decode(&out[..length]).unwrap()
        else {
            panic!("ACTION.response")
        };
        received.extend_from_slice(block.raw);
        if block.last {
            break;
        }
        let number = block.number;
        length = sender.next(Answer::Action, INVOKE, number, &mut out, profile(20)).unwrap();
    }
    assert_eq!(received, whole);
    let length = sender.next(Answer::Action, INVOKE, 1, &mut out, profile(20)).unwrap();
    let Apdu::ActionResponse(ActionResponse::Normal { outcome, .. }) = Apdu::decode(&out[..length]).unwrap() else {
        panic!("ACTION.response")
    };
    assert_eq!(outcome.result, ActionResult::NO_LONG_ACTION_IN_PROGRESS);
}

#[test]
fn too_short_a_buffer_is_an_error_not_a_loop() {
    for longest in 0..11 {
        let mut out = vec![0; longest];
        assert!(BlockSender::new().start(Answer::Get, INVOKE, &mut out, profile(100)).is_err(), "{longest}");
    }
}

#[test]
fn a_set_in_blocks_arrives_whole() {
    let image = Random(1).octets(1000);
    let produce = |writer: &mut Writer<'_>| writer.octet_string_data(&image);
    let reference = AttributeDescriptor { class: 1, name: Obis([0, 0, 96, 1, 0, 255]), attribute: 2 }.into();
    let mut upload = BlockUpload::new(produce);
    let mut receiver = BlockReceiver::new();
    let (mut space, mut buffer) = ([0; 90], [0; 1100]);
    let length = loop {
        let block = upload.next(&mut space, produce).unwrap();
        let request = if block.number == 1 {
            SetRequest::WithFirstDataBlock { invoke: INVOKE, reference, block }
        } else {
            SetRequest::WithDataBlock { invoke: INVOKE, block }
        };
        let apdu = encoded(|writer| request.encode(writer));
        let progress = match Apdu::decode(&apdu).unwrap() {
            Apdu::SetRequest(SetRequest::WithFirstDataBlock { block, .. }) => receiver.first(&block, &mut buffer),
            Apdu::SetRequest(SetRequest::WithDataBlock { block, .. }) => receiver.next(&block, &mut buffer),
            other => panic!("{other:?}"),
        };
        assert!(upload.next(&mut [0; 90], produce).is_none(), "an acknowledgement is due");
        match progress.unwrap() {
            Progress::More { number } => {
                assert!(upload.acknowledge(number + 1).is_err());
                upload.acknowledge(number).unwrap();
            }
            Progress::Complete { length, .. } => break length,
        }
    };
    assert!(upload.is_finished());
    assert_eq!(EncodedData::new(&buffer[..length]).unwrap().value().octets(), Some(&image[..]));
}

#[test]
fn the_receiver_refuses_what_is_not_due() {
    let mut buffer = [0; 8];
    let mut receiver = BlockReceiver::new();
    let block = |number, last, raw| DataBlock { last, number, raw };
    let error = receiver.next(&block(2, false, &[]), &mut buffer).unwrap_err();
    assert_eq!((error, error.data_access_result()), (ReceiveError::NotInProgress, DataAccessResult(18)));
    let error = receiver.first(&block(2, false, &[]), &mut buffer).unwrap_err();
    assert_eq!(
        (error, error.data_access_result()),
        (ReceiveError::NumberInvalid { due: 1, found: 2 }, DataAccessResult(19))
    );
    assert_eq!(receiver.first(&block(1, false, &[1; 5]), &mut buffer), Ok(Progress::More { number: 1 }));
    let error = receiver.next(&block(2, false, &[1; 5]), &mut buffer).unwrap_err();
    assert_eq!((error, error.data_access_result()), (ReceiveError::TooLong { capacity: 8 }, DataAccessResult(17)));
    assert!(!receiver.is_receiving());
}

/// Sends over a line that loses one block in so many; returns how many were sent.
fn general_transfer(whole: &[u8], block: usize, window: u8, loss: usize) -> usize {
    let mut random = Random(loss as u64);
    let produce = |writer: &mut Writer<'_>| writer.put(whole);
    let mut sender = GeneralBlockSender::new(whole.len(), block, window).unwrap();
    let mut receiver = GeneralBlockReceiver::new();
    let (mut space, mut buffer) = (vec![0; block], vec![0; whole.len()]);
    let mut sent = 0;
    loop {
        let mut answer = None;
        while let Some(general) = sender.next(5, 0, &mut space, produce).unwrap() {
            sent += 1;
            assert!(sent < 100_000, "the transfer ends");
            let octets = encoded(|writer| general.encode(writer));
            let Apdu::GeneralBlock(arrived) = Apdu::decode(&octets).unwrap() else { panic!("general block") };
            assert_eq!(arrived, general);
            if loss > 0 && random.below(loss) == 0 {
                continue;
            }
            match receiver.accept(&arrived, &mut buffer).unwrap() {
                GeneralProgress::Wait => {}
                GeneralProgress::Acknowledge => answer = Some(receiver.acknowledgement(0, true, window)),
                GeneralProgress::Complete { length } => {
                    assert_eq!(buffer[..length], *whole);
                    sender.acknowledge(receiver.acknowledged(), window).unwrap();
                    assert!(sender.is_finished());
                    return sent;
                }
            }
        }
        // Where the block that asks for an answer is lost, a time-out of the shell asks for it.
        let answer = answer.unwrap_or_else(|| receiver.acknowledgement(0, true, window));
        sender.acknowledge(answer.acknowledged, answer.window).unwrap();
    }
}

#[test]
fn general_blocks_arrive_whole_in_every_window() {
    let whole = Random(2).octets(1000);
    for window in [0, 1, 2, 3, 7, 62, 63, 200] {
        for block in [1, 7, 100, 999, 1000, 1001] {
            assert_eq!(general_transfer(&whole, block, window, 0), 1000_usize.div_ceil(block));
        }
    }
}

#[test]
fn lost_general_blocks_are_sent_again() {
    let whole = Random(3).octets(1000);
    for window in [1, 2, 5, 63] {
        for loss in 2..8 {
            assert!(general_transfer(&whole, 33, window, loss) > 1000 / 33);
        }
    }
}

#[test]
fn an_apdu_of_more_blocks_than_numbers_is_refused() {
    assert!(GeneralBlockSender::new(65_536, 1, 1).is_err());
    assert!(GeneralBlockSender::new(65_535, 1, 1).is_ok());
    assert!(GeneralBlockSender::new(10, 0, 1).is_err());
    assert!(GeneralBlockSender::new(0, 10, 1).is_err());
    assert!(GeneralBlockSender::behind(65_533, 20, 10, 1).is_ok());
    assert!(GeneralBlockSender::behind(65_534, 20, 10, 1).is_err());
}
