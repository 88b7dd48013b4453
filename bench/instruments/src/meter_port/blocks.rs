//! Requests and answers in general blocks, where a plan asks for them and the meter agrees.

use meterbench_iec62056::acse::Conformance;
use meterbench_iec62056::apdu::transfer::{GeneralBlockError, GeneralExchange};
use meterbench_iec62056::apdu::{Apdu, GeneralBlock};
use meterbench_iec62056::octets::Writer;

use super::{LONGEST_REQUEST, LONGEST_VALUE, MeterPort, PortError};

impl MeterPort {
    /// Asks for general block transfer in every association from now on, and takes so many blocks at once; `None` leaves it with
    /// the blocks of each service.
    pub fn ask_for_general_blocks(&mut self, window: Option<u8>) {
        self.general_window = window;
    }

    /// Whether the association that stands speaks in general blocks.
    pub fn speaks_in_general_blocks(&self) -> bool {
        let agreed = self.client.as_ref().map(meterbench_iec62056::client::Client::conformance);
        self.general_window.is_some()
            && agreed.is_some_and(|agreed| agreed.contains(Conformance::GENERAL_BLOCK_TRANSFER))
    }

    /// Sends a request in blocks; the answer, put together. What is no block ends the exchange, and is the answer.
    pub(super) async fn exchange_in_blocks(
        &mut self,
        mut exchange: GeneralExchange,
        request: &[u8],
    ) -> Result<Vec<u8>, PortError> {
        let (mut space, mut whole) = ([0; LONGEST_REQUEST], Vec::new());
        loop {
            let block = exchange.next(request, &mut space).map_err(|error| self.out_of_blocks(error))?;
            let Some(block) = block else {
                exchange.ask_again();
                continue;
            };
            let apdu = encoded(&block);
            if block.streaming {
                let told = self.carrier()?.tell(&apdu).await;
                self.still_carried(told)?;
                continue;
            }
            let mut answer = self.exchange(&apdu).await?;
            loop {
                let Ok(Apdu::GeneralBlock(block)) = Apdu::decode(&answer) else { return Ok(answer) };
                let length = exchange.length() + block.data.len();
                if length > LONGEST_VALUE {
                    return Err(self.protocol("an answer without an end"));
                }
                whole.resize(length, 0);
                let taken = exchange.accept(&block, &mut whole).map_err(|error| self.out_of_blocks(error))?;
                if let Some(length) = taken {
                    whole.truncate(length);
                    return Ok(whole);
                }
                if !block.streaming {
                    break;
                }
                let more = self.carrier()?.more().await;
                answer = self.still_carried(more)?;
            }
        }
    }

    fn out_of_blocks(&self, error: GeneralBlockError) -> PortError {
        self.protocol(&format!("general block transfer: {error}"))
    }
}

fn encoded(block: &GeneralBlock<'_>) -> Vec<u8> {
    let mut apdu = vec![0; Writer::measure(|writer| block.encode(writer))];
    block.encode(&mut Writer::new(&mut apdu));
    apdu
}
