//! Ciphering against published vectors and vectors made with another implementation.

use meterbench_iec62056::security::{
    Ciphered, Envelope, Gcm, GeneralHead, Key, KeyInformation, Protection, ReceiveCounter, SecurityControl,
    SecurityError, SystemTitle, challenges_differ, password_matches, unwrap_key, wrap_key,
};

use crate::common::{Random, Vector, encoded, vectors};

fn keys(vector: &Vector, suite: u8) -> Protection {
    Protection::new(suite, &Key(vector.array("ek")), &Key(vector.array("ak")))
}

#[test]
fn gcm_gives_the_published_octets() {
    let vectors = vectors("gcm.json");
    assert_eq!(vectors.len(), 4 + 20);
    for vector in vectors {
        let gcm = Gcm::new(&Key(vector.array("key")));
        let (iv, associated, plain) = (vector.array("vector"), vector.octets("associated"), vector.octets("plain"));
        let (cipher, tag) = (vector.octets("cipher"), vector.octets("tag"));
        // The associated data in pieces of every size.
        for size in 1..=associated.len().max(1) {
            let pieces: Vec<&[u8]> = associated.chunks(size).collect();
            let mut text = vec![0xEE; plain.len()];
            assert_eq!(gcm.seal(&iv, &pieces, &plain, &mut text)[..], tag, "{}", vector.id);
            assert_eq!(text, cipher, "{}", vector.id);
            assert!(gcm.open(&iv, &pieces, &cipher, &tag[..12], &mut text), "{}", vector.id);
            assert_eq!(text, plain, "{}", vector.id);
        }
        let mut text = vec![0xEE; cipher.len()];
        for length in 0..12 {
            let opened = gcm.open(&iv, &[&associated], &cipher, &tag[..length], &mut text);
            assert!(!opened, "a tag of {length} octets");
        }
        for bit in 0..128 {
            let mut forged = tag.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            text.fill(0xEE);
            assert!(!gcm.open(&iv, &[&associated], &cipher, &forged, &mut text), "{} bit {bit}", vector.id);
            assert!(text.iter().all(|octet| *octet == 0), "a forged tag gives nothing away");
        }
    }
}

#[test]
fn a_piece_of_a_key_stream_is_that_of_its_place() {
    let gcm = Gcm::new(&Key([0x42; 16]));
    let (iv, plain) = ([7; 12], [0; 700]);
    for length in [0, 1, 15, 16, 17, 255, 256, 257, 600, 700] {
        let mut sealed = vec![0; length];
        let tag = gcm.seal(&iv, &[b"data"], &plain[..length], &mut sealed);
        let mut stream = vec![0; length];
        gcm.apply_key_stream(&iv, &mut stream);
        assert_eq!(stream, sealed, "a text of zeros is the stream");
        let mut opened = vec![1; length];
        assert!(gcm.open(&iv, &[b"da", b"ta"], &sealed, &tag, &mut opened));
        assert_eq!(opened, plain[..length]);
    }
}

#[test]
fn keys_are_wrapped_as_published() {
    let vectors = vectors("key-wrap.json");
    assert_eq!(vectors.len(), 1 + 8);
    for vector in vectors {
        let (master, key) = (Key(vector.array("master")), Key(vector.array("key")));
        let wrapped = wrap_key(&master, &key).unwrap();
        assert_eq!(wrapped[..], vector.octets("wrapped"), "{}", vector.id);
        assert_eq!(unwrap_key(&master, &wrapped).unwrap().0, key.0);
        for bit in 0..192 {
            let mut forged = wrapped;
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(unwrap_key(&master, &forged).is_err());
        }
        for length in (0..24).chain(25..33) {
            assert!(unwrap_key(&master, &[0x5A; 33][..length]).is_err());
        }
    }
}

#[test]
fn the_published_ciphered_apdus_are_opened_and_made() {
    let mut count = 0;
    for vector in vectors("security.json").iter().filter(|vector| vector.has("apdu")) {
        let apdu = vector.octets("apdu");
        let plain = vector.octets("plain");
        let ciphered = Ciphered::decode(&apdu).unwrap();
        let title = ciphered.system_title().unwrap_or_else(|| SystemTitle(vector.array("system_title")));
        let protection = keys(vector, 0);
        let mut out = vec![0; apdu.len()];
        let opened = protection.unprotect(&ciphered, &title, &mut out).unwrap();
        assert_eq!(opened.plain, plain, "{}", vector.id);

        let title_said = title.0;
        let envelope = match ciphered {
            Ciphered::GeneralGlobal { .. } => Envelope::GeneralGlobal(&title_said),
            _ => Envelope::Global,
        };
        let mut again = [0; 256];
        let protected = ciphered.protected();
        let length = protection.protect(&envelope, protected.control, &title, protected.counter, &plain, &mut again);
        assert_eq!(again[..length.unwrap()], apdu, "{}", vector.id);
        count += 1;
    }
    assert_eq!(count, 5);
}

#[test]
fn challenges_are_answered_as_published() {
    let vectors = vectors("security.json");
    let mut count = 0;
    for (id, title, challenge, answer) in
        [("hls5-client", "client_title", "stoc", "f_stoc"), ("hls5-server", "server_title", "ctos", "f_ctos")]
    {
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        let protection = keys(vector, 0);
        let title = SystemTitle(vector.array(title));
        let counter = u32::from_be_bytes(vector.array("ic"));
        let challenge = vector.text(challenge).as_bytes();
        let expected = vector.octets(answer);
        assert_eq!(protection.authenticate(&title, counter, challenge)[..], expected);
        assert_eq!(protection.verify(&title, &expected, challenge), Ok(counter));
        assert_eq!(protection.verify(&title, &expected, b"another challenge"), Err(SecurityError::NotGenuine));
        for bit in 0..8 * expected.len() {
            let mut forged = expected.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(protection.verify(&title, &forged, challenge), Err(SecurityError::NotGenuine));
        }
        for length in 0..expected.len() {
            assert!(protection.verify(&title, &expected[..length], challenge).is_err());
        }
        count += 1;
    }
    assert_eq!(count, 2);
    assert!(challenges_differ(b"K56iVagY", b"P6wRJ21F"));
    assert!(!challenges_differ(b"K56iVagY", b"K56iVagY"), "a challenge sent back");
    assert!(!challenges_differ(b"short", b"P6wRJ21F"));
    assert!(password_matches(b"12345678", b"12345678"));
    assert!(
        !password_matches(b"12345678", b"12345679")
            && !password_matches(b"1234", b"12345")
            && !password_matches(b"", b"")
    );
}

#[test]
fn every_form_and_mode_agrees_with_another_implementation() {
    let vectors = vectors("protection.json");
    assert_eq!(vectors.len(), 7 * (5 * 2 + 1));
    for vector in &vectors {
        let (plain, apdu) = (vector.octets("plain"), vector.octets("apdu"));
        let control = SecurityControl(vector.array::<1>("control")[0]);
        let protection = keys(vector, control.suite());
        let title = SystemTitle(vector.array("system_title"));
        let counter = u32::from_be_bytes(vector.array("ic"));
        let (transaction_id, recipient) = (vector.octets("transaction_id"), vector.octets("recipient"));
        let head = GeneralHead {
            transaction_id: &transaction_id,
            originator: &title.0,
            recipient: &recipient,
            ..GeneralHead::default()
        };
        let envelope = match vector.text("form") {
            "global" => Envelope::Global,
            "dedicated" => Envelope::Dedicated,
            "general-global" => Envelope::GeneralGlobal(&title.0),
            "general-global-untitled" => Envelope::GeneralGlobal(&[]),
            "general-dedicated" => Envelope::GeneralDedicated(&title.0),
            "general" => Envelope::General(head, None),
            "general-identified" => Envelope::General(head, Some(KeyInformation::Identified(0))),
            other => panic!("{other}"),
        };
        assert!((0..=2).contains(&(envelope.overhead(control) - (apdu.len() - plain.len()))), "{}", vector.id);
        let mut out = vec![0; apdu.len()];
        let length = protection.protect(&envelope, control, &title, counter, &plain, &mut out).unwrap();
        assert_eq!(out[..length], apdu, "{}", vector.id);
        let short = protection.protect(&envelope, control, &title, counter, &plain, &mut out[..length - 1]);
        assert!(matches!(short, Err(SecurityError::Encode(_))));

        let ciphered = Ciphered::decode(&apdu).unwrap();
        assert_eq!(encoded(|writer| ciphered.encode(writer)), apdu);
        let mut out = vec![0; plain.len()];
        let opened = protection.unprotect(&ciphered, &title, &mut out).unwrap();
        assert_eq!((opened.plain, opened.control, opened.counter), (&plain[..], control, counter), "{}", vector.id);
        assert!(protection.unprotect(&ciphered, &title, &mut vec![0; plain.len() - 1]).is_err());

        let other_title = SystemTitle(*b"KAM12345");
        let mut out = vec![0xAA; plain.len()];
        if control.is_authenticated() {
            let refused = protection.unprotect(&ciphered, &other_title, &mut out);
            assert_eq!(refused, Err(SecurityError::NotGenuine));
            assert!(out.iter().all(|octet| *octet == 0), "nothing of a forged text is left");
        }
        let answer = Envelope::answering(&ciphered, &other_title);
        assert_eq!(core::mem::discriminant(&answer), core::mem::discriminant(&envelope));
    }
}

#[test]
fn one_changed_bit_of_an_authenticated_apdu_is_found() {
    let mut random = Random(5);
    let mut forged_opened = 0;
    for vector in vectors("protection.json").iter().filter(|vector| !vector.text("control").starts_with('2')) {
        let apdu = vector.octets("apdu");
        let protection = keys(vector, SecurityControl(vector.array::<1>("control")[0]).suite());
        let title = SystemTitle(vector.array("system_title"));
        for _ in 0..200 {
            let mut forged = apdu.clone();
            let bit = random.below(8 * forged.len());
            forged[bit / 8] ^= 1 << (bit % 8);
            let mut out = vec![0; forged.len()];
            let Ok(ciphered) = Ciphered::decode(&forged) else { continue };
            if let Ok(opened) = protection.unprotect(&ciphered, &title, &mut out) {
                // Encryption without authentication protects no bit; a changed control octet asks for it.
                if opened.control.is_authenticated() {
                    assert_ne!(ciphered, Ciphered::decode(&apdu).unwrap());
                    forged_opened += usize::from(ciphered.protected() != Ciphered::decode(&apdu).unwrap().protected());
                }
            }
        }
    }
    assert_eq!(forged_opened, 0);
}

#[test]
fn what_cannot_be_protected_is_refused() {
    let protection = Protection::new(0, &Key([1; 16]), &Key([2; 16]));
    let title = SystemTitle(*b"KAM00001");
    let plain = [0xC0, 1, 0xC1];
    let mut out = [0; 64];
    let mut protect = |control: u8, plain: &[u8]| {
        protection.protect(&Envelope::Global, SecurityControl(control), &title, 7, plain, &mut out)
    };
    assert_eq!(protect(0x00, &plain), Err(SecurityError::NoProtection));
    assert_eq!(protect(0x32, &plain), Err(SecurityError::Suite { found: 2, expected: 0 }));
    assert_eq!(protect(0xB0, &plain), Err(SecurityError::Compressed));
    assert_eq!(protect(0x30, &[0x0F, 0]), Err(SecurityError::NoServiceTag(0x0F)));
    assert_eq!(protect(0x30, &[]), Err(SecurityError::NoServiceTag(0)));
}

#[test]
fn another_service_inside_than_outside_is_refused() {
    let protection = Protection::new(0, &Key([1; 16]), &Key([2; 16]));
    let title = SystemTitle(*b"KAM00001");
    let mut out = [0; 64];
    let plain = [0xC0, 1, 0xC1];
    let length = protection.protect(&Envelope::Global, SecurityControl::BOTH, &title, 7, &plain, &mut out).unwrap();
    out[0] = 0xC9;
    let mut opened = [0; 64];
    let result = protection.unprotect(&Ciphered::decode(&out[..length]).unwrap(), &title, &mut opened);
    assert_eq!(result, Err(SecurityError::InnerTag { inside: 0xC0, outside: 0xC9 }));
}

#[test]
fn a_captured_apdu_acts_once() {
    let protection = Protection::new(0, &Key([1; 16]), &Key([2; 16]));
    let title = SystemTitle(*b"KAM00001");
    let mut counter = ReceiveCounter::NEW;
    let mut acts = 0;
    let mut out = [0; 64];
    let plain = [0xC3, 1, 0xC1];
    let length = protection.protect(&Envelope::Global, SecurityControl::BOTH, &title, 41, &plain, &mut out).unwrap();
    let mut receive = |apdu: &[u8]| {
        let ciphered = Ciphered::decode(apdu).unwrap();
        let Ok(accepted) = counter.check(ciphered.protected().counter) else { return };
        if protection.unprotect(&ciphered, &title, &mut [0; 64]).is_ok() {
            counter.accept(accepted);
            acts += 1;
        }
    };
    receive(&out[..length]);
    receive(&out[..length]);
    // A far counter that is not genuine does not lock the true sender out.
    let mut forged = out;
    forged[3] = 0xFF;
    receive(&forged[..length]);
    let length = protection.protect(&Envelope::Global, SecurityControl::BOTH, &title, 42, &plain, &mut out).unwrap();
    receive(&out[..length]);
    assert_eq!(acts, 2);
    assert_eq!(counter.stored(), Some(43));
}

#[cfg(feature = "signing")]
#[test]
fn a_signed_apdu_is_verified_as_assumed() {
    use meterbench_iec62056::security::{SignedApdu, SigningKey};
    let vectors = vectors("general-signing.json");
    assert_eq!(vectors.len(), 1);
    for vector in vectors {
        let apdu = vector.octets("apdu");
        let signed = SignedApdu::decode(&apdu).unwrap();
        assert_eq!(encoded(|writer| signed.put_signed_octets(writer)), vector.octets("to_be_signed"));
        let key = SigningKey::from_octets(&vector.array("d")).unwrap();
        assert_eq!(key.sign(&signed.head, signed.content).unwrap()[..], vector.octets("signature"));
        let verifying = key.verifying_key();
        assert!(verifying.verify(&signed));
        for bit in 0..8 * apdu.len() {
            let mut forged = apdu.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            if let Ok(forged) = SignedApdu::decode(&forged) {
                assert!(!verifying.verify(&forged), "bit {bit}");
            }
        }
    }
}
