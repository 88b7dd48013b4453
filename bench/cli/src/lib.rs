//! The `meterbench` program: arguments, diagnostics, exit codes, progress, reports.
//!
//! The only place that knows both the bench's procedures and the emulated laboratory: it builds a bench from a bench
//! file, hands it to `meterbench-run` and reads the events that come out. Exit codes: 0 something was decided and
//! nothing failed, 1 a meter failed, 2 nothing was energised because a file or an argument is wrong, 3 the bench
//! broke, 4 nothing was decided, 130 interrupted.

/// Prints a line. A reader that has closed its end is no reason to stop a run.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

/// The same on standard error.
macro_rules! complain {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($text)*);
    }};
}

pub mod arguments;
pub mod assemble;
pub mod catalogue;
pub mod check;
pub mod diagnostics;
pub mod digest;
pub mod emulate;
pub mod execute;
pub mod explain;
pub mod firmware;
pub mod flash;
pub mod journal;
pub mod list;
pub mod rehearsal;
pub mod report;
pub mod resume;
pub mod stop;
pub mod terminal;
pub mod words;
