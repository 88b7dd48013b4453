//! A replay after a power cut: invocation counters must outlive it.

use std::time::Duration;

use meterbench_instruments::PortError;
use meterbench_plan::Port;
use meterbench_record::LoadPoint;
use tokio::time::sleep;

use super::attacks::REPLAYED;
use super::evidence::Before;
use super::{Finding, Talk};
use crate::bench::Bench;
use crate::error::RunError;

/// A meter may need this long to start.
const START: Duration = Duration::from_secs(10);

/// An association is heard; every meter loses its supply and has it again; what was heard is said again.
pub(super) async fn replay(
    bench: &mut Bench,
    place: usize,
    port: Port,
    role: &str,
    seconds: f64,
    at: &LoadPoint,
) -> Result<(Vec<Finding>, Result<(), PortError>), RunError> {
    let mut talk = Talk::new(bench, place, port, at);
    let (before, heard) = match listen(&mut talk, role).await {
        Ok(heard) => heard,
        Err(error) => return Ok((talk.findings, Err(error))),
    };
    bench.switch_off().await?;
    sleep(Duration::from_secs_f64(seconds)).await;
    bench.apply(at).await?;
    bench.meters_have_started();
    sleep(START).await;
    let mut talk = Talk::new(bench, place, port, at);
    let subject = format!("{role}, the association of before a power cut of {seconds} s");
    let said = say_again(&mut talk, role, &subject, &before, &heard).await;
    talk.port.close().await;
    Ok((talk.findings, said))
}

async fn listen(talk: &mut Talk<'_>, role: &str) -> Result<(Before, Vec<u8>), PortError> {
    let before = talk.before(REPLAYED, None).await?;
    talk.associate(role).await?;
    let heard = talk.port.last_association().to_vec();
    talk.port.close().await;
    Ok((before, heard))
}

/// Nothing else is said first: a genuine association would move the counter.
async fn say_again(
    talk: &mut Talk<'_>,
    role: &str,
    subject: &str,
    before: &Before,
    heard: &[u8],
) -> Result<(), PortError> {
    let access = talk.access(role)?;
    talk.port.attach(access.client).await?;
    talk.repeated(subject, heard).await?;
    talk.after(before, subject).await?;
    talk.associate(role).await?;
    talk.find(Finding::met(&format!("{role} after the power cut"), "association", true, "open", "open", None));
    Ok(())
}
