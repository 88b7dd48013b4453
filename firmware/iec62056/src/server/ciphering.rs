//! Opening what comes ciphered and protecting the answer in kind.

use super::{Dedicated, LONGEST_APDU, LogicalDevice, Notice, Server, exception};
use crate::apdu::{Apdu, ExceptionResponse, ServiceError, StateError};
use crate::octets::Writer;
use crate::security::{
    Ciphered, CounterError, Direction, Envelope, Protection, SecurityControl, SystemTitle, Unprotected,
};

/// Why a ciphered APDU is not carried out.
pub(super) enum Refused {
    /// It cannot be opened.
    Deciphering,
    /// Its counter is not new; the least that is.
    Counter(u32),
    /// It is protected less than it must be.
    Policy,
}

impl Server {
    /// Opens a ciphered APDU into `plain`. Its counter is accepted, and persisted, before this returns.
    pub(super) fn open<'o, D: LogicalDevice>(
        &mut self,
        device: &mut D,
        ciphered: &Ciphered<'_>,
        plain: &'o mut [u8],
    ) -> Result<Unprotected<'o>, Refused> {
        let client = self.agreed.client;
        let counter = ciphered.protected().counter;
        let (protection, checked) = match &self.dedicated {
            Some(dedicated) if ciphered.is_dedicated() => (&dedicated.protection, dedicated.received.check(counter)),
            _ if ciphered.is_dedicated() => return Err(Refused::Deciphering),
            _ => (self.protection.as_ref().ok_or(Refused::Deciphering)?, device.check_counter(client, counter)),
        };
        let accepted = match checked {
            Ok(accepted) => accepted,
            Err(error) => {
                device.notice(client, Notice::Replayed);
                let expected = if let CounterError::Replayed { expected, .. } = error { expected } else { u32::MAX };
                return Err(Refused::Counter(expected));
            }
        };
        // There is no broadcast key.
        if ciphered.protected().control.is_broadcast() {
            device.notice(client, Notice::NotGenuine);
            return Err(Refused::Deciphering);
        }
        // Only who is authenticated can move a counter.
        if !ciphered.protected().control.is_authenticated() {
            device.notice(client, Notice::NotProtected);
            return Err(Refused::Policy);
        }
        let Ok(opened) = protection.unprotect(ciphered, &SystemTitle(self.agreed.client_title), plain) else {
            device.notice(client, Notice::NotGenuine);
            return Err(Refused::Deciphering);
        };
        // What is no request was not meant for a server.
        if !matches!(opened.plain.first(), Some(0x01 | 0xC0 | 0xC1 | 0xC3)) {
            device.notice(client, Notice::NotGenuine);
            return Err(Refused::Deciphering);
        }
        match &mut self.dedicated {
            Some(dedicated) if ciphered.is_dedicated() => dedicated.received.accept(accepted),
            _ => device.accept_counter(client, accepted),
        }
        let met =
            self.admission.is_some_and(|a| a.policy.requires(Direction::Request).is_met(Some(opened.control), true));
        if !met {
            device.notice(client, Notice::NotProtected);
            return Err(Refused::Policy);
        }
        Ok(opened)
    }

    /// Protects an answer as its request was, and as the policy demands.
    pub(super) fn protect<D: LogicalDevice>(
        &mut self,
        device: &mut D,
        request: (&Ciphered<'_>, SecurityControl),
        plain: &[u8],
        out: &mut [u8],
    ) -> usize {
        let title = device.system_title();
        let Some(admission) = self.admission else { return 0 };
        let dedicated = request.0.is_dedicated();
        let Ok(counter) = self.take_counter(device, dedicated) else {
            return exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::OTHER_REASON, out);
        };
        let Some(protection) = self.keys(dedicated) else { return 0 };
        let control = admission.policy.response_control(request.1.suite(), request.1);
        let envelope = Envelope::answering(request.0, &title);
        let done = protection.protect(&envelope, control, &title, counter, plain, out);
        done.unwrap_or_else(|_| exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::PDU_TOO_LONG, out))
    }

    /// The keys an answer is protected with.
    pub(super) fn keys(&self, dedicated: bool) -> Option<&Protection> {
        match &self.dedicated {
            Some(keys) if dedicated => Some(&keys.protection),
            _ => self.protection.as_ref(),
        }
    }

    /// The next counter of the server under these keys; never given again.
    pub(super) fn take_counter<D: LogicalDevice>(
        &mut self,
        device: &mut D,
        dedicated: bool,
    ) -> Result<u32, CounterError> {
        match &mut self.dedicated {
            Some(Dedicated { next, .. }) if dedicated => {
                let counter = *next;
                // The last number is never given: nothing could follow it.
                *next = counter.checked_add(1).ok_or(CounterError::Exhausted)?;
                Ok(counter)
            }
            _ => device.next_counter(self.agreed.client),
        }
    }

    /// A request that came ciphered.
    pub(super) fn open_and_serve<D: LogicalDevice>(&mut self, device: &mut D, apdu: &[u8], out: &mut [u8]) -> usize {
        let Ok(Apdu::Ciphered(ciphered)) = Apdu::decode(apdu) else {
            return exception(StateError::SERVICE_UNKNOWN, ServiceError::SERVICE_NOT_SUPPORTED, out);
        };
        let mut plain = [0; LONGEST_APDU];
        let opened = match self.open(device, &ciphered, &mut plain) {
            Ok(opened) => opened,
            Err(refused) => return refusal(&refused, out),
        };
        let mut answer = [0; LONGEST_APDU];
        // What ciphering adds must fit into what the client takes.
        let longest = usize::from(self.agreed.longest_sent).min(out.len());
        let title = device.system_title();
        let overhead = Envelope::answering(&ciphered, &title).overhead(SecurityControl::BOTH);
        let room =
            if self.general.is_wanted() { answer.len() } else { longest.saturating_sub(overhead).min(answer.len()) };
        let length = match opened.plain.first() {
            Some(0xC0 | 0xC1 | 0xC3) => self.serve(device, opened.plain, &mut answer[..room]),
            _ => exception(StateError::SERVICE_UNKNOWN, ServiceError::SERVICE_NOT_SUPPORTED, &mut answer[..room]),
        };
        if length > 0 && answer[0] == ExceptionResponse::TAG {
            // An exception has no ciphered form of its own.
            out[..length].copy_from_slice(&answer[..length]);
            return length;
        }
        if let Some(whole) = self.general_answer(&answer[..length]) {
            return self.begin_general(device, Some((&ciphered, opened.control)), whole, out);
        }
        if length == 0 {
            return 0;
        }
        self.protect(device, (&ciphered, opened.control), &answer[..length], out)
    }
}

fn refusal(refused: &Refused, out: &mut [u8]) -> usize {
    match refused {
        Refused::Deciphering => exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::DECIPHERING_ERROR, out),
        Refused::Policy => exception(StateError::SERVICE_NOT_ALLOWED, ServiceError::SERVICE_NOT_SUPPORTED, out),
        Refused::Counter(expected) => {
            let mut writer = Writer::new(out);
            ExceptionResponse::counter_expected(*expected).encode(&mut writer);
            writer.finish().unwrap_or(0)
        }
    }
}
