//! Opening and closing an association.

use super::{Agreed, Approach, Dedicated, LONGEST_APDU, LogicalDevice, Notice, Server, State, encoded};
use crate::acse::{
    ApplicationContext, AssociationRequest, AssociationResponse, AssociationResult, InitiateRequest, InitiateResponse,
    Mechanism, ReleaseReason, ReleaseRequest, ReleaseResponse, UserDiagnostic, VAA_LOGICAL_NAMES,
};
use crate::apdu::{ActionResult, Apdu};
use crate::security::{
    AUTHENTICATION_LENGTH, Ciphered, Key, ReceiveCounter, SecurityControl, SystemTitle, challenges_differ,
};

/// Shortest APDU a client may ask for, with ciphering (octets).
const SHORTEST_APDU: u16 = 64;
/// confirmedServiceError of an initiate request that is refused.
const INCOMPATIBLE_CONFORMANCE: u8 = 2;
const APDU_TOO_SHORT: u8 = 3;

/// Why an association is refused.
enum Refusal {
    Diagnostic(UserDiagnostic),
    /// A confirmedServiceError in the user information.
    Initiate(u8),
}

impl Server {
    pub(super) fn associate<D: LogicalDevice>(
        &mut self,
        device: &mut D,
        client: u16,
        apdu: &[u8],
        out: &mut [u8],
    ) -> usize {
        self.disconnect();
        let context = match AssociationRequest::decode(apdu) {
            Ok(request) => match self.admit(device, client, &request, out) {
                Ok(length) => return length,
                Err(Refusal::Initiate(value)) => {
                    self.disconnect();
                    device.notice(client, Notice::AuthenticationFailed);
                    let error = [0x0E, 1, 6, value];
                    let response = AssociationResponse {
                        user_information: Some(&error),
                        ..refused(request.context, UserDiagnostic::NO_REASON_GIVEN)
                    };
                    return encoded(out, |writer| response.encode(writer));
                }
                Err(Refusal::Diagnostic(diagnostic)) => {
                    self.disconnect();
                    device.notice(client, Notice::AuthenticationFailed);
                    let response = refused(request.context, diagnostic);
                    return encoded(out, |writer| response.encode(writer));
                }
            },
            Err(_) => ApplicationContext::LOGICAL_NAMES,
        };
        encoded(out, |writer| refused(context, UserDiagnostic::NO_REASON_GIVEN).encode(writer))
    }

    fn admit<D: LogicalDevice>(
        &mut self,
        device: &mut D,
        client: u16,
        request: &AssociationRequest<'_>,
        out: &mut [u8],
    ) -> Result<usize, Refusal> {
        let says = Refusal::Diagnostic;
        let mechanism = request.mechanism.unwrap_or(Mechanism::LOWEST);
        let approach = Approach { client, interface: self.interface, mechanism };
        let admission = device.admission(&approach).ok_or(says(UserDiagnostic::NO_REASON_GIVEN))?;
        let wants_keys = admission.mechanism.is_high();
        let context =
            if wants_keys { ApplicationContext::LOGICAL_NAMES_CIPHERED } else { ApplicationContext::LOGICAL_NAMES };
        if request.context != context {
            return Err(says(UserDiagnostic::CONTEXT_NOT_SUPPORTED));
        }
        if mechanism != admission.mechanism {
            let diagnostic = match mechanism {
                Mechanism::LOWEST => UserDiagnostic::MECHANISM_REQUIRED,
                _ => UserDiagnostic::MECHANISM_NOT_RECOGNISED,
            };
            return Err(says(diagnostic));
        }
        let offered = request.authentication_value.unwrap_or_default();
        if mechanism == Mechanism::LOW && !device.is_password(client, offered) {
            return Err(says(UserDiagnostic::AUTHENTICATION_FAILURE));
        }
        let title = request.calling_ap_title.and_then(SystemTitle::from_slice);
        // Who speaks under the server's own title would make it take its own messages for a client's.
        if wants_keys && title.is_none_or(|title| title == device.system_title()) {
            return Err(says(UserDiagnostic::CALLING_AP_TITLE_NOT_RECOGNISED));
        }
        self.admission = Some(admission);
        self.protection = device.protection(client).filter(|_| wants_keys);
        self.generation = device.key_generation(client);
        let client_title = title.map_or([0; 8], |title| title.0);
        self.agreed = Agreed { client, client_title, mechanism, ..Self::new().agreed };
        let mut plain = [0; LONGEST_APDU];
        let information = request.user_information.ok_or(says(UserDiagnostic::NO_REASON_GIVEN))?;
        let (initiate, ciphered) = self.initiate(device, information, &mut plain)?;
        if let Some(key) = initiate.dedicated_key {
            // It comes ciphered, or not at all.
            let key = <[u8; 16]>::try_from(key).ok().filter(|_| ciphered.is_some()).map(Key);
            let key = key.ok_or(Refusal::Initiate(INCOMPATIBLE_CONFORMANCE))?;
            let protection = self.protection.as_ref().map(|keys| keys.dedicated(&key));
            self.dedicated =
                protection.map(|protection| Dedicated { protection, received: ReceiveCounter::NEW, next: 0 });
        }
        if initiate.maximum_pdu != 0 && initiate.maximum_pdu < SHORTEST_APDU {
            return Err(Refusal::Initiate(APDU_TOO_SHORT));
        }
        let conformance = admission.conformance.intersection(initiate.conformance);
        if conformance == crate::acse::Conformance::NONE {
            return Err(Refusal::Initiate(INCOMPATIBLE_CONFORMANCE));
        }
        self.agreed.conformance = conformance;
        self.agreed.longest_sent = match initiate.maximum_pdu {
            0 => LONGEST_APDU as u16,
            longest => longest.min(LONGEST_APDU as u16),
        };
        let mut answer = [0; 64];
        let length = self.initiate_response(&mut answer);
        let mut protected = [0; 128];
        let information = match &ciphered {
            None => &answer[..length],
            Some(request) => {
                let length = self.protect(device, (request, SecurityControl::BOTH), &answer[..length], &mut protected);
                &protected[..length]
            }
        };
        let own = device.system_title();
        let accepted = AssociationResponse {
            responding_ap_title: wants_keys.then_some(&own.0[..]),
            user_information: Some(information),
            ..AssociationResponse::new(context, AssociationResult::ACCEPTED, UserDiagnostic::NULL)
        };
        if !wants_keys {
            self.state = State::Open;
            device.notice(client, Notice::Associated);
            return Ok(encoded(out, |writer| accepted.encode(writer)));
        }
        let own_challenge = device.challenge();
        if !challenges_differ(offered, &own_challenge) {
            return Err(says(UserDiagnostic::AUTHENTICATION_FAILURE));
        }
        let mut kept = [0; 64];
        kept[..offered.len()].copy_from_slice(offered);
        self.state = State::Challenged(kept, offered.len(), own_challenge);
        // Accepted so far: the challenges are still to be answered.
        let challenged = AssociationResponse {
            diagnostic: crate::acse::Diagnostic::User(UserDiagnostic::AUTHENTICATION_REQUIRED),
            ..accepted.with_challenge(mechanism, &own_challenge)
        };
        Ok(encoded(out, |writer| challenged.encode(writer)))
    }

    /// What was agreed, for the client; its octets.
    fn initiate_response(&self, out: &mut [u8]) -> usize {
        let response = InitiateResponse {
            quality_of_service: None,
            version: 6,
            conformance: self.agreed.conformance,
            maximum_pdu: self.agreed.longest_received,
            vaa_name: VAA_LOGICAL_NAMES,
        };
        encoded(out, |writer| response.encode(writer))
    }

    /// The initiate request in the user information, and the ciphered APDU it came in.
    fn initiate<'p, 'i, D: LogicalDevice>(
        &mut self,
        device: &mut D,
        information: &'i [u8],
        plain: &'p mut [u8],
    ) -> Result<(InitiateRequest<'p>, Option<Ciphered<'i>>), Refusal>
    where
        'i: 'p,
    {
        let fails = || Refusal::Diagnostic(UserDiagnostic::AUTHENTICATION_FAILURE);
        match Apdu::decode(information) {
            Ok(Apdu::InitiateRequest(request)) if self.protection.is_none() => Ok((request, None)),
            Ok(Apdu::Ciphered(ciphered)) if self.protection.is_some() => {
                let opened = self.open(device, &ciphered, plain).map_err(|_| fails())?;
                let request = InitiateRequest::decode(opened.plain).map_err(|_| fails())?;
                Ok((request, Some(ciphered)))
            }
            _ => Err(fails()),
        }
    }

    /// The client answers the challenge; the server's answer to its own goes into `returned`.
    pub(super) fn reply_to_challenge<D: LogicalDevice>(
        &mut self,
        device: &mut D,
        reply: &[u8],
        returned: &mut [u8; AUTHENTICATION_LENGTH],
    ) -> ActionResult {
        let State::Challenged(theirs, length, own) = self.state else { return ActionResult::READ_WRITE_DENIED };
        let client = self.agreed.client;
        let title = SystemTitle(self.agreed.client_title);
        // The challenge makes the proof new; its counter may be older than that of the request it came in.
        let verified = self.protection.as_ref().and_then(|keys| keys.verify(&title, reply, &own).ok());
        let Some(counter) = verified else {
            device.notice(client, Notice::AuthenticationFailed);
            self.state = State::Closed;
            return ActionResult::READ_WRITE_DENIED;
        };
        device.raise_counter(client, counter);
        let (Ok(counter), Some(keys)) = (device.next_counter(client), &self.protection) else {
            self.state = State::Closed;
            return ActionResult::HARDWARE_FAULT;
        };
        *returned = keys.authenticate(&device.system_title(), counter, &theirs[..length]);
        self.state = State::Open;
        device.notice(client, Notice::Associated);
        ActionResult::SUCCESS
    }

    pub(super) fn release<D: LogicalDevice>(&mut self, device: &mut D, apdu: &[u8], out: &mut [u8]) -> usize {
        let Ok(request) = ReleaseRequest::decode(apdu) else {
            return super::exception(
                crate::apdu::StateError::SERVICE_UNKNOWN,
                crate::apdu::ServiceError::SERVICE_NOT_SUPPORTED,
                out,
            );
        };
        // A client with keys proves once more that the request is its own; without that proof the association stays.
        let mut plain = [0; LONGEST_APDU];
        let mut protected = [0; 128];
        let information = match (request.user_information, self.protection.is_some()) {
            (Some(information), true) => match self.initiate(device, information, &mut plain) {
                Ok((_, Some(ciphered))) => {
                    let mut answer = [0; 64];
                    let length = self.initiate_response(&mut answer);
                    let request = (&ciphered, SecurityControl::BOTH);
                    let length = self.protect(device, request, &answer[..length], &mut protected);
                    Some(&protected[..length])
                }
                _ => {
                    let refused = ReleaseResponse { reason: Some(ReleaseReason::URGENT), user_information: None };
                    return encoded(out, |writer| refused.encode(writer));
                }
            },
            (None, true) => {
                device.notice(self.agreed.client, Notice::NotProtected);
                let refused = ReleaseResponse { reason: Some(ReleaseReason::URGENT), user_information: None };
                return encoded(out, |writer| refused.encode(writer));
            }
            (_, false) => None,
        };
        let response = ReleaseResponse { reason: Some(ReleaseReason::NORMAL), user_information: information };
        let length = encoded(out, |writer| response.encode(writer));
        self.disconnect();
        length
    }
}

fn refused(context: ApplicationContext, diagnostic: UserDiagnostic) -> AssociationResponse<'static> {
    let context = if context == ApplicationContext::FOREIGN { ApplicationContext::LOGICAL_NAMES } else { context };
    AssociationResponse::new(context, AssociationResult::REJECTED_PERMANENT, diagnostic)
}
