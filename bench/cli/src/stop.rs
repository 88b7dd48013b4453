//! A request to stop, for the whole life of the program: SIGINT, SIGTERM, or SIGHUP when the terminal goes away.
//!
//! A thread of its own listens, so that no request is lost between two plans or while one runtime is replaced by
//! another.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

static REQUESTED: AtomicBool = AtomicBool::new(false);
static WAITING: LazyLock<Notify> = LazyLock::new(Notify::new);

/// Starts to listen.
pub fn listen() {
    let listener = || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        runtime.block_on(async {
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
            let [Ok(mut interrupt), Ok(mut term), Ok(mut hangup)] = kinds else { return };
            loop {
                tokio::select! { biased; _ = interrupt.recv() => {}, _ = term.recv() => {}, _ = hangup.recv() => {} }
                REQUESTED.store(true, Ordering::SeqCst);
                WAITING.notify_waiters();
            }
        });
    };
    // Without the thread a signal ends the process at once, as it would without this module.
    let _ = std::thread::Builder::new().name("signals".into()).spawn(listener);
}

/// Somebody asked to stop.
pub fn is_requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// Completes when somebody asks to stop.
pub async fn requested() {
    let notified = WAITING.notified();
    tokio::pin!(notified);
    notified.as_mut().enable();
    if !is_requested() {
        notified.await;
    }
}
