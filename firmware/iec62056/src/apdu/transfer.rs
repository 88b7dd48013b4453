//! What takes several APDUs: answers, values and parameters in blocks, and general block transfer.
//!
//! Every machine is a few integers. What is sent is produced anew for each block, through a window of the
//! [`Writer`](crate::octets::Writer): the meter needs no buffer for the whole, but must produce the same octets until
//! the transfer ends. What is received goes into a buffer of the caller.

mod exchange;
mod general;
mod receiver;
mod sender;
mod splitter;

pub use exchange::GeneralExchange;
pub use general::{
    DueBlock, GeneralBlockError, GeneralBlockReceiver, GeneralBlockSender, GeneralProgress, MAXIMUM_WINDOW,
};
pub use receiver::{BlockReceiver, Progress, ReceiveError};
pub use sender::{Answer, BlockSender};
pub use splitter::{BlockUpload, UploadError};
