//! Entry point of the `meterbench` program.

use std::process::ExitCode;

use clap::Parser;
use meterbench::arguments::{Arguments, Command};
use meterbench::{check, emulate, execute, explain, flash, list, report};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let code = match &arguments.command {
        Command::Run(run) => execute::run(run),
        Command::Check(check) => check::check(check),
        Command::Explain(explain) => explain::explain(explain),
        Command::Flash(flash) => flash::flash(flash),
        Command::Emulate(emulate) => emulate::emulate(emulate),
        Command::Report(report) => report::again(report),
        Command::List(list) => list::list(list),
    };
    ExitCode::from(code)
}
