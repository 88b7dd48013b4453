//! The journal: every event as a line of `events.jsonl`, written by a thread in real time.

use std::fs::{File, TryLockError};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use meterbench_record::{JournalLine, Record, RecordError};

/// Lines the bench may be ahead of its readers before it waits for them.
const AHEAD: usize = 1024;

/// A reader of the stream of events, on the thread of the journal.
pub trait Reader: Send {
    fn line(&mut self, line: &JournalLine);
}

/// Starts the thread. It ends when the last sender is gone, and yields what went wrong with the file.
pub fn start(
    file: File,
    mut readers: Vec<Box<dyn Reader>>,
) -> io::Result<(SyncSender<JournalLine>, JoinHandle<io::Result<()>>)> {
    let (sender, receiver) = sync_channel(AHEAD);
    let thread =
        std::thread::Builder::new().name("journal".into()).spawn(move || write(file, &receiver, &mut readers))?;
    Ok((sender, thread))
}

/// A journal that is not there yet.
pub fn create(path: &Path) -> io::Result<File> {
    let file = File::options().create_new(true).append(true).open(path)?;
    file.try_lock()?;
    Ok(file)
}

/// A journal that may go on, locked; none where somebody writes it now.
pub fn reopen(path: &Path) -> io::Result<Option<File>> {
    let file = File::options().read(true).append(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The same journal, still locked, for its writer: a last line that was cut off is taken away.
pub fn go_on(file: &File) -> io::Result<File> {
    let mut file = file.try_clone()?;
    let mut text = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut text)?;
    let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    file.set_len(whole as u64)?;
    Ok(file)
}

/// One line reaches the operating system before the next is taken: a killed process loses what was still on its way
/// through the channel, and nothing older.
fn write(file: File, lines: &Receiver<JournalLine>, readers: &mut [Box<dyn Reader>]) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    for line in lines {
        serde_json::to_writer(&mut file, &line)?;
        file.write_all(b"\n")?;
        file.flush()?;
        readers.iter_mut().for_each(|reader| reader.line(&line));
    }
    file.get_ref().sync_all()
}

/// File names within the directory of a run.
pub fn events_file(directory: &Path) -> PathBuf {
    directory.join("events.jsonl")
}

/// Folds the journal of a run.
pub fn fold(directory: &Path) -> Result<Record, RecordError> {
    Record::fold(BufReader::new(File::open(events_file(directory))?))
}
