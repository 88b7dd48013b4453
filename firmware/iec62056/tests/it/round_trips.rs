//! Whatever can be said is read back as it was said.

use meterbench_iec62056::acse::{
    ApplicationContext, AssociationRequest, AssociationResponse, AssociationResult, ConfirmedServiceError, Conformance,
    InitiateRequest, InitiateResponse, Mechanism, ReleaseReason, ReleaseRequest, ReleaseResponse, UserDiagnostic,
};
use meterbench_iec62056::apdu::{
    AccessRequest, AccessResponse, AccessResult, AccessSpecification, ActionOutcome, ActionRequest, ActionResponse,
    ActionResult, Apdu, AttributeDescriptor, AttributeReference, DataAccessResult, DataBlock, DataNotification,
    EntryDescriptor, EventNotification, ExceptionResponse, GeneralBlock, GetRequest, GetResponse, GetResult,
    InvokeIdAndPriority, List, LongInvokeIdAndPriority, MethodDescriptor, SelectiveAccess, ServiceError, SetRequest,
    SetResponse, StateError,
};
use meterbench_iec62056::data::{BitString, CompactArray, Data, EncodedData, MAXIMUM_DEPTH, Sequence};
use meterbench_iec62056::date_time::{Date, DateTime, Time};
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::{DecodeErrorKind, Reader};
use meterbench_iec62056::security::{Ciphered, Envelope, Key, Protection, SecurityControl, SystemTitle};

use crate::common::{Random, encoded};

/// Any value, nested up to `depth` levels.
pub(crate) fn any_data(random: &mut Random, depth: usize) -> Vec<u8> {
    if depth > 0 && random.below(3) == 0 {
        let count = random.below(if depth > 3 { 3 } else { 200 >> (2 * depth) });
        let array = random.below(2) == 0;
        let elements: Vec<u8> = (0..count).flat_map(|_| any_data(random, depth - 1)).collect();
        let sequence = Sequence::from_octets(count, &elements).expect("elements");
        return encoded(|writer| {
            writer.data(&if array { Data::Array(sequence) } else { Data::Structure(sequence) });
        });
    }
    let long = random.below(8) == 0;
    let length = random.below(if long { 300 } else { 20 });
    let content = random.octets(length);
    let number = random.next();
    let octets = number.to_be_bytes();
    let data = match random.below(28) {
        0 => Data::NullData,
        1 => Data::Boolean(number & 1 != 0),
        2 => {
            Data::BitString(BitString::new(content.len() * 8 - usize::from(!content.is_empty()) * 3, &content).unwrap())
        }
        3 => Data::DoubleLong(number as i32),
        4 => Data::DoubleLongUnsigned(number as u32),
        5 => Data::OctetString(&content),
        6 => Data::VisibleString(&content),
        7 => Data::Utf8String(&content),
        8 => Data::Bcd(number as u8),
        9 => Data::Integer(number as i8),
        10 => Data::Long(number as i16),
        11 => Data::Unsigned(number as u8),
        12 => Data::LongUnsigned(number as u16),
        13 => Data::Long64(number as i64),
        14 => Data::Long64Unsigned(number),
        15 => Data::Enum(number as u8),
        16 => Data::Float32(number as f32),
        17 => Data::Float64(number as f64),
        18 => {
            let mut wide = [0; 12];
            wide[..8].copy_from_slice(&octets);
            Data::DateTime(DateTime::from_octets(wide))
        }
        19 => Data::Date(Date::from_octets([octets[0], octets[1], octets[2], octets[3], octets[4]])),
        20 => Data::Time(Time::from_octets([octets[0], octets[1], octets[2], octets[3]])),
        21 => Data::DeltaInteger(number as i8),
        22 => Data::DeltaLong(number as i16),
        23 => Data::DeltaDoubleLong(number as i32),
        24 => Data::DeltaUnsigned(number as u8),
        25 => Data::DeltaLongUnsigned(number as u16),
        26 => Data::DeltaDoubleLongUnsigned(number as u32),
        _ if random.below(2) == 0 => Data::DontCare,
        _ => {
            let description = [2, 3, 0x11, 0x09, 0x01, 0x00, 0x02, 0x12];
            let mut elements = Vec::new();
            for element in 0..random.below(5) {
                elements.extend([element as u8, element as u8]);
                elements.extend(random.octets(element + 4));
            }
            let array = CompactArray::new(&description, &elements).expect("elements of the description");
            return encoded(|writer| writer.compact_array(&array));
        }
    };
    let octets = encoded(|writer| writer.data(&data));
    assert_eq!(Data::decode(&mut Reader::new(&octets)).expect("what was written is read"), data);
    octets
}

/// Writes the value again, element by element.
fn rewrite(data: &Data<'_>) -> Vec<u8> {
    match data {
        Data::Array(sequence) | Data::Structure(sequence) => {
            let elements: Vec<u8> = sequence.iter().flat_map(|element| rewrite(&element)).collect();
            assert_eq!(elements, sequence.octets());
            let head = encoded(|writer| match data {
                Data::Array(_) => writer.array(sequence.len()),
                _ => writer.structure(sequence.len()),
            });
            [head, elements].concat()
        }
        scalar => encoded(|writer| writer.data(scalar)),
    }
}

#[test]
fn data_survives_its_round_trip() {
    let mut random = Random(1);
    for _ in 0..30_000 {
        let octets = any_data(&mut random, 6);
        let data = EncodedData::new(&octets).unwrap();
        assert_eq!(rewrite(&data.value()), octets);
        for length in 0..octets.len().min(40) {
            let error = EncodedData::new(&octets[..length]).unwrap_err();
            assert_eq!((error.kind, error.offset), (DecodeErrorKind::Truncated, length));
        }
    }
}

#[test]
fn nesting_is_bounded() {
    for depth in 0..200 {
        let mut octets = [1, 1].repeat(depth);
        octets.push(0);
        let result = EncodedData::new(&octets);
        assert_eq!(result.is_ok(), depth <= MAXIMUM_DEPTH, "{depth} levels");
        assert_eq!(Data::decode(&mut Reader::new(&octets)).is_ok(), depth <= MAXIMUM_DEPTH, "{depth} levels");
        if let Err(error) = result {
            assert_eq!((error.kind, error.offset), (DecodeErrorKind::Depth, 2 * MAXIMUM_DEPTH));
        }
    }
}

#[test]
fn a_huge_count_costs_nothing() {
    for octets in [&[1, 0x84, 0xFF, 0xFF, 0xFF, 0xFF][..], &[1, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0]] {
        let error = EncodedData::new(octets).unwrap_err();
        assert_eq!((error.kind, error.offset), (DecodeErrorKind::Truncated, octets.len()));
    }
}

fn check(apdu: &Apdu<'_>) -> Vec<u8> {
    let octets = encoded(|writer| apdu.encode(writer));
    let decoded = Apdu::decode(&octets).unwrap_or_else(|error| panic!("{apdu:?}: {error}"));
    assert_eq!(decoded, *apdu);
    assert_eq!(encoded(|writer| decoded.encode(writer)), octets);
    for length in 0..octets.len() {
        // A shorter APDU is refused, but for the counter some meters leave out.
        let shorter = Apdu::decode(&octets[..length]);
        assert!(shorter.is_err() || matches!(shorter, Ok(Apdu::ExceptionResponse(_))), "{apdu:?} cut to {length}");
    }
    let longer = [&octets[..], &[0]].concat();
    assert!(Apdu::decode(&longer).is_err() || matches!(apdu, Apdu::ExceptionResponse(_)), "{apdu:?} and one octet");
    octets
}

/// Hands one APDU of every form to `use_it`.
pub(crate) fn every_apdu(random: &mut Random, mut use_it: impl FnMut(&Apdu<'_>)) {
    let octets: Vec<Vec<u8>> = (0..4).map(|_| any_data(random, 3)).collect();
    let values: Vec<EncodedData<'_>> = octets.iter().map(|octets| EncodedData::new(octets).unwrap()).collect();
    let invoke = InvokeIdAndPriority(random.next() as u8);
    let long_invoke = LongInvokeIdAndPriority(random.next() as u32);
    let name = Obis(random.octets(6).try_into().unwrap());
    let attribute = AttributeDescriptor { class: random.next() as u16, name, attribute: random.next() as i8 };
    let method = MethodDescriptor { class: 70, name, method: 1 };
    let access = SelectiveAccess { selector: 2, parameters: values[0] };
    let plain = AttributeReference { attribute, access: None };
    let selected = AttributeReference { attribute, access: Some(access) };
    let length = random.below(300);
    let raw = random.octets(length);
    let block = DataBlock { last: random.below(2) == 0, number: random.next() as u32, raw: &raw };
    let time = Some(DateTime::from_octets(random.octets(12).try_into().unwrap()));
    let code = DataAccessResult(random.next() as u8);
    let references = [plain, selected, plain];
    let references = List::new(&references);
    let methods = [method, method];
    let methods = List::new(&methods);
    let list_of_values = List::new(&values);
    let results: [GetResult<'_>; 3] = [Ok(values[0]), Err(code), Ok(values[1])];
    let codes = [code, DataAccessResult::SUCCESS];
    let returned = ActionOutcome { result: ActionResult::SUCCESS, returned: Some(Ok(values[2])) };
    let failed = ActionOutcome { result: ActionResult::OTHER_REASON, returned: Some(Err(code)) };
    let outcomes = [returned, failed, ActionResult::SUCCESS.into()];
    let specifications = [
        AccessSpecification::Get(attribute),
        AccessSpecification::Set(attribute),
        AccessSpecification::Action(method),
        AccessSpecification::GetWithSelection(attribute, access),
        AccessSpecification::SetWithSelection(attribute, access),
    ];
    let specifications = List::new(&specifications);
    let access_results = [AccessResult::Get(code), AccessResult::Set(code), AccessResult::Action(ActionResult(3))];
    let (key, title, challenge) = (random.octets(16), random.octets(8), random.octets(16));
    let conformance = Conformance(random.octets(3).try_into().unwrap());
    let initiate = InitiateRequest::new(conformance, random.next() as u16);
    let initiate_octets = encoded(|writer| initiate.encode(writer));
    let request = AssociationRequest::new(ApplicationContext::LOGICAL_NAMES_CIPHERED, &initiate_octets);
    let response = AssociationResponse::new(
        ApplicationContext::LOGICAL_NAMES,
        AssociationResult::REJECTED_TRANSIENT,
        UserDiagnostic::NO_REASON_GIVEN,
    );
    let vaa_name = 7;

    let apdus = [
        Apdu::AssociationRequest(request),
        Apdu::AssociationRequest(AssociationRequest {
            called_ap_title: Some(&title),
            calling_ae_qualifier: Some(&raw),
            calling_ae_invocation_id: Some(3),
            ..request.with_system_title(&title).with_authentication(Mechanism::HIGH_GMAC, &challenge)
        }),
        Apdu::AssociationResponse(response),
        Apdu::AssociationResponse(AssociationResponse {
            responding_ap_title: Some(&title),
            responding_ae_qualifier: Some(&raw),
            user_information: Some(&initiate_octets),
            ..response.with_challenge(Mechanism::HIGH_ECDSA, &challenge)
        }),
        Apdu::ReleaseRequest(ReleaseRequest { reason: None, user_information: Some(&initiate_octets) }),
        Apdu::ReleaseResponse(ReleaseResponse { reason: Some(ReleaseReason::URGENT), user_information: None }),
        Apdu::InitiateRequest(initiate),
        Apdu::InitiateRequest(InitiateRequest {
            dedicated_key: Some(&key),
            response_allowed: Some(false),
            quality_of_service: Some(9),
            ..initiate
        }),
        Apdu::InitiateResponse(InitiateResponse {
            quality_of_service: Some(1),
            version: 6,
            conformance,
            maximum_pdu: 1,
            vaa_name,
        }),
        Apdu::ConfirmedServiceError(ConfirmedServiceError::PDU_SIZE_TOO_SHORT),
        Apdu::GetRequest(GetRequest::Normal { invoke, reference: selected }),
        Apdu::GetRequest(GetRequest::Next { invoke, number: block.number }),
        Apdu::GetRequest(GetRequest::WithList { invoke, references }),
        Apdu::GetResponse(GetResponse::Normal { invoke, result: Ok(values[3]) }),
        Apdu::GetResponse(GetResponse::Normal { invoke, result: Err(code) }),
        Apdu::GetResponse(GetResponse::WithDataBlock { invoke, last: true, number: 2, result: Ok(&raw) }),
        Apdu::GetResponse(GetResponse::WithDataBlock { invoke, last: true, number: 2, result: Err(code) }),
        Apdu::GetResponse(GetResponse::WithList { invoke, results: List::new(&results) }),
        Apdu::SetRequest(SetRequest::Normal { invoke, reference: plain, value: values[1] }),
        Apdu::SetRequest(SetRequest::WithFirstDataBlock { invoke, reference: selected, block }),
        Apdu::SetRequest(SetRequest::WithDataBlock { invoke, block }),
        Apdu::SetRequest(SetRequest::WithList { invoke, references, values: list_of_values }),
        Apdu::SetRequest(SetRequest::WithListAndFirstDataBlock { invoke, references, block }),
        Apdu::SetResponse(SetResponse::Normal { invoke, result: code }),
        Apdu::SetResponse(SetResponse::DataBlock { invoke, number: 7 }),
        Apdu::SetResponse(SetResponse::LastDataBlock { invoke, result: code, number: 7 }),
        Apdu::SetResponse(SetResponse::LastDataBlockWithList { invoke, results: List::new(&codes), number: 7 }),
        Apdu::SetResponse(SetResponse::WithList { invoke, results: List::new(&codes) }),
        Apdu::ActionRequest(ActionRequest::Normal { invoke, method, parameter: Some(values[2]) }),
        Apdu::ActionRequest(ActionRequest::Normal { invoke, method, parameter: None }),
        Apdu::ActionRequest(ActionRequest::NextBlock { invoke, number: 3 }),
        Apdu::ActionRequest(ActionRequest::WithList { invoke, methods, parameters: list_of_values }),
        Apdu::ActionRequest(ActionRequest::WithFirstBlock { invoke, method, block }),
        Apdu::ActionRequest(ActionRequest::WithListAndFirstBlock { invoke, methods, block }),
        Apdu::ActionRequest(ActionRequest::WithBlock { invoke, block }),
        Apdu::ActionResponse(ActionResponse::Normal { invoke, outcome: returned }),
        Apdu::ActionResponse(ActionResponse::Normal { invoke, outcome: ActionResult::READ_WRITE_DENIED.into() }),
        Apdu::ActionResponse(ActionResponse::WithBlock { invoke, block }),
        Apdu::ActionResponse(ActionResponse::WithList { invoke, outcomes: List::new(&outcomes) }),
        Apdu::ActionResponse(ActionResponse::NextBlock { invoke, number: 3 }),
        Apdu::EventNotification(EventNotification { time: None, attribute, value: values[0] }),
        Apdu::EventNotification(EventNotification { time: Some(time), attribute, value: values[0] }),
        Apdu::DataNotification(DataNotification { invoke: long_invoke, time, body: values[3] }),
        Apdu::DataNotification(DataNotification { invoke: long_invoke, time: None, body: values[3] }),
        Apdu::ExceptionResponse(ExceptionResponse::new(StateError(1), ServiceError(2))),
        Apdu::ExceptionResponse(ExceptionResponse::counter_expected(77)),
        Apdu::AccessRequest(AccessRequest { invoke: long_invoke, time, specifications, data: list_of_values }),
        Apdu::AccessResponse(AccessResponse {
            invoke: long_invoke,
            time: None,
            specifications: Some(specifications),
            data: list_of_values,
            results: List::new(&access_results),
        }),
        Apdu::GeneralBlock(GeneralBlock {
            last: true,
            streaming: true,
            window: 63,
            number: 1,
            acknowledged: 2,
            data: &raw,
        }),
    ];
    apdus.iter().for_each(&mut use_it);
}

#[test]
fn every_form_of_every_apdu_survives_its_round_trip() {
    let mut random = Random(2);
    let mut count = 0;
    for _ in 0..60 {
        every_apdu(&mut random, |apdu| {
            check(apdu);
            count += 1;
        });
    }
    assert_eq!(count, 60 * 49);
}

#[test]
fn every_form_of_every_apdu_survives_ciphering() {
    let mut random = Random(3);
    let title = SystemTitle(*b"KAM\x01\x02\x03\x04\x05");
    let mut counter = 0;
    for round in 0..20 {
        let key = |random: &mut Random| Key(random.octets(16).try_into().unwrap());
        let protection = Protection::new(0, &key(&mut random), &key(&mut random));
        let control = SecurityControl([0x10, 0x20, 0x30][round % 3]);
        every_apdu(&mut random, |apdu| {
            counter += 1;
            let plain = encoded(|writer| apdu.encode(writer));
            for envelope in [Envelope::Global, Envelope::Dedicated, Envelope::GeneralGlobal(&title.0)] {
                let mut out = vec![0; plain.len() + 64];
                let Ok(length) = protection.protect(&envelope, control, &title, counter, &plain, &mut out) else {
                    continue;
                };
                let Apdu::Ciphered(ciphered) = Apdu::decode(&out[..length]).unwrap() else { panic!("ciphered") };
                assert_eq!(ciphered, Ciphered::decode(&out[..length]).unwrap());
                let mut opened = vec![0; plain.len()];
                let opened = protection.unprotect(&ciphered, &title, &mut opened).unwrap();
                assert_eq!(Apdu::decode(opened.plain).unwrap(), *apdu);
            }
        });
    }
}

#[test]
fn entries_are_read_as_they_were_written() {
    let entries = EntryDescriptor { from_entry: 1, to_entry: 0, from_selected_value: 2, to_selected_value: 3 };
    let octets = encoded(|writer| entries.encode(writer));
    assert_eq!(EntryDescriptor::decode(EncodedData::new(&octets).unwrap()), Ok(entries));
    let error = EntryDescriptor::decode(EncodedData::NULL).unwrap_err();
    assert_eq!((error.offset, error.kind), (0, DecodeErrorKind::Type(0)));
}
