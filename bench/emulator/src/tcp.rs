//! Serving TCP: one listener, a task for each caller.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::laboratory::LaboratoryError;

/// Serves until the future is dropped; `started` learns the address, `talk` has each caller.
pub(crate) async fn serve<F: Future<Output = ()> + Send + 'static>(
    instrument: &str,
    address: &str,
    started: impl FnOnce(SocketAddr),
    talk: impl Fn(TcpStream) -> F,
) -> Result<(), LaboratoryError> {
    let failed =
        |source| LaboratoryError::Listen { instrument: instrument.to_owned(), address: address.to_owned(), source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    started(listener.local_addr().map_err(failed)?);
    let mut calls = JoinSet::new();
    loop {
        // One caller that breaks off, or too many at once, is no reason to stop serving the others.
        let Ok((stream, _)) = listener.accept().await else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        calls.spawn(talk(stream));
        while calls.try_join_next().is_some() {}
    }
}
