//! Every published vector is read and written again to the last octet.

use meterbench_iec62056::acse::{
    ApplicationContext, AssociationResult, Conformance, Diagnostic, InitiateRequest, InitiateResponse, Mechanism,
    UserDiagnostic,
};
use meterbench_iec62056::apdu::{Apdu, DataAccessResult, GetRequest, GetResponse, RangeDescriptor, SetRequest};
use meterbench_iec62056::data::{Data, EncodedData};
use meterbench_iec62056::date_time::DateTime;
use meterbench_iec62056::obis::Obis;
use meterbench_iec62056::octets::Reader;

use crate::common::{Vector, encoded, vectors};

fn round_trip(vector: &Vector) {
    let octets = vector.octets("apdu");
    let apdu = Apdu::decode(&octets).unwrap_or_else(|error| panic!("{}: {error}", vector.id));
    assert_eq!(encoded(|writer| apdu.encode(writer)), octets, "{}", vector.id);
}

fn find<'v>(vectors: &'v [Vector], id: &str) -> Vec<u8> {
    vectors.iter().find(|vector: &&'v Vector| vector.id == id).expect("the vector").octets("apdu")
}

#[test]
fn every_apdu_survives_its_round_trip() {
    let mut count = 0;
    for file in ["acse.json", "xdlms.json", "security.json", "general-signing.json", "load-profile.json"] {
        for vector in vectors(file).iter().filter(|vector| vector.has("apdu")) {
            round_trip(vector);
            count += 1;
        }
    }
    assert_eq!(count, 9 + 14 + 5 + 1 + 1);
}

#[test]
fn the_association_vectors_say_what_their_description_says() {
    let vectors = vectors("acse.json");
    assert_eq!(vectors.len(), 9);

    let octets = find(&vectors, "aarq-hls5");
    let Apdu::AssociationRequest(request) = Apdu::decode(&octets).unwrap() else { panic!("AARQ") };
    assert_eq!(request.context, ApplicationContext::LOGICAL_NAMES);
    assert_eq!(request.mechanism, Some(Mechanism::HIGH_GMAC));
    assert_eq!(request.authentication_value, Some(&b"K56iVagY"[..]));
    let initiate = InitiateRequest::decode(request.user_information.unwrap()).unwrap();
    assert_eq!((initiate.conformance, initiate.maximum_pdu), (Conformance([0x00, 0x7E, 0x1F]), 1200));

    let octets = find(&vectors, "aarq-ciphered-lls");
    let Apdu::AssociationRequest(request) = Apdu::decode(&octets).unwrap() else { panic!("AARQ") };
    assert!(request.context.is_ciphered());
    assert_eq!(request.calling_ap_title, Some(&[0x4D, 0x4D, 0x4D, 0x00, 0x00, 0xBC, 0x61, 0x4E][..]));
    assert_eq!(request.authentication_value, Some(&b"12345678"[..]));

    let octets = find(&vectors, "aare-hls5");
    let Apdu::AssociationResponse(response) = Apdu::decode(&octets).unwrap() else { panic!("AARE") };
    assert_eq!(response.result, AssociationResult::ACCEPTED);
    assert_eq!(response.diagnostic, Diagnostic::User(UserDiagnostic::AUTHENTICATION_REQUIRED));
    assert_eq!(response.authentication_value, Some(&b"P6wRJ21F"[..]));
    let initiate = InitiateResponse::decode(response.user_information.unwrap()).unwrap();
    assert_eq!((initiate.conformance, initiate.maximum_pdu), (Conformance([0x00, 0x50, 0x1F]), 500));

    let octets = find(&vectors, "aare-ctx-wrong");
    let Apdu::AssociationResponse(response) = Apdu::decode(&octets).unwrap() else { panic!("AARE") };
    assert_eq!(response.result, AssociationResult::REJECTED_PERMANENT);
    assert_eq!(response.diagnostic, Diagnostic::User(UserDiagnostic::CONTEXT_NOT_SUPPORTED));
}

#[test]
fn the_service_vectors_say_what_their_description_says() {
    let vectors = vectors("xdlms.json");
    assert_eq!(vectors.len(), 14);

    let octets = find(&vectors, "xdlms-get-req-normal");
    let Apdu::GetRequest(GetRequest::Normal { invoke, reference }) = Apdu::decode(&octets).unwrap() else {
        panic!("GET.request")
    };
    assert!(invoke.id() == 1 && invoke.is_confirmed() && invoke.is_high_priority());
    assert_eq!(reference.attribute.name, "0-0:43.1.0".parse::<Obis>().unwrap());

    let octets = find(&vectors, "xdlms-get-resp-last-block-err");
    let Apdu::GetResponse(GetResponse::WithDataBlock { last, number, result, .. }) = Apdu::decode(&octets).unwrap()
    else {
        panic!("GET.response")
    };
    assert_eq!((last, number, result), (true, 19, Err(DataAccessResult::HARDWARE_FAULT)));

    let octets = find(&vectors, "xdlms-get-resp-list-struct");
    let Apdu::GetResponse(GetResponse::WithList { results, .. }) = Apdu::decode(&octets).unwrap() else {
        panic!("GET.response")
    };
    assert_eq!(results.len(), 9);
    assert_eq!(results.iter().next().unwrap().unwrap().value(), Data::LongUnsigned(50));

    let octets = find(&vectors, "xdlms-set-req-clock");
    let Apdu::SetRequest(SetRequest::Normal { value, .. }) = Apdu::decode(&octets).unwrap() else {
        panic!("SET.request")
    };
    assert_eq!(value.value().date_time().unwrap().deviation.minutes(), Some(-60));

    let octets = find(&vectors, "xdlms-get-req-range");
    let Apdu::GetRequest(GetRequest::Normal { reference, .. }) = Apdu::decode(&octets).unwrap() else {
        panic!("GET.request")
    };
    let access = reference.access.unwrap();
    assert_eq!(access.selector, RangeDescriptor::SELECTOR);
    let range = RangeDescriptor::decode(access.parameters).unwrap();
    assert_eq!(range.restricting_object.name, Obis::CLOCK);
    assert_eq!(range.columns().count(), 0);
    assert!(range.from.value().date_time().unwrap().date.month == 6);
    assert_eq!(encoded(|writer| range.encode(writer)), access.parameters.octets());
}

#[test]
fn a_push_of_a_meter_is_read() {
    let vectors = vectors("xdlms.json");
    let octets = find(&vectors, "data-notification-kamstrup-han");
    let Apdu::DataNotification(notification) = Apdu::decode(&octets).unwrap() else { panic!("data-notification") };
    let time = notification.time.unwrap();
    assert_eq!((time.date.year, time.deviation.minutes()), (2000, None));
    let list = notification.body.value().sequence().unwrap();
    assert_eq!(list.len(), 25);
    let mut elements = list.iter();
    assert_eq!(elements.next().unwrap().octets(), Some(&b"Kamstrup_V0001"[..]));
    assert_eq!(elements.next().unwrap().octets(), Some(&[1, 1, 0, 0, 5, 0xFF][..]));
}

#[test]
fn the_texts_inside_ciphered_vectors_are_apdus() {
    let mut count = 0;
    for vector in vectors("security.json").iter().filter(|vector| vector.has("plain")) {
        let plain = vector.octets("plain");
        let apdu = Apdu::decode(&plain).unwrap_or_else(|error| panic!("{}: {error}", vector.id));
        assert_eq!(encoded(|writer| apdu.encode(writer)), plain, "{}", vector.id);
        count += 1;
    }
    assert_eq!(count, 5);
}

#[test]
fn the_data_vectors_are_read() {
    let vectors = vectors("data.json");
    assert_eq!(vectors.len(), 3);
    for vector in &vectors {
        if vector.has("octets") {
            let octets = vector.array("octets");
            let date_time = DateTime::from_octets(octets);
            assert_eq!(date_time.to_octets(), octets);
            // The ISO text of the vector: local time and the offset from UTC.
            let iso = vector.text("iso");
            let hours: i16 = iso[20..22].parse().unwrap();
            assert_eq!(date_time.deviation.minutes(), Some(-60 * hours));
            let local = format!("{} {}.00 -{:03}", &iso[..10], &iso[11..19], hours * 60);
            assert_eq!(date_time.to_string(), local, "{}", vector.id);
        } else {
            let octets = vector.octets("buffer");
            let rows = EncodedData::new(&octets).unwrap().value().sequence().unwrap();
            assert_eq!(rows.len(), 4);
            let clocks = rows.iter().map(|row| row.sequence().unwrap().iter().next().unwrap());
            assert_eq!(clocks.filter(|clock| *clock == Data::NullData).count(), 3);
            let energies = rows.iter().map(|row| row.sequence().unwrap().iter().nth(2).unwrap().integer());
            assert!(energies.eq([Some(1517); 4]));
        }
    }
}

#[test]
fn the_day_of_a_load_profile_is_read_both_ways() {
    let vectors = vectors("load-profile.json");
    let octets = vectors[0].octets("apdu");
    assert_eq!(octets.len(), 3654);
    let Apdu::GetResponse(GetResponse::Normal { result, .. }) = Apdu::decode(&octets).unwrap() else {
        panic!("GET.response")
    };
    let data = result.unwrap();
    let rows = data.value().sequence().unwrap();
    let mut reader: Reader<'_> = data.reader();
    assert_eq!(reader.array_of(), Ok(96));
    for row in rows {
        reader.structure_of(6).unwrap();
        let mut columns = row.sequence().unwrap().iter();
        assert_eq!(columns.next().unwrap().date_time(), Some(reader.date_time().unwrap()));
        assert_eq!(columns.next().unwrap(), Data::Unsigned(reader.unsigned().unwrap()));
        for _ in 0..4 {
            assert_eq!(columns.next().unwrap(), Data::DoubleLongUnsigned(reader.double_long_unsigned().unwrap()));
        }
        assert!(columns.next().is_none());
    }
    assert!(reader.finish().is_ok());
}
