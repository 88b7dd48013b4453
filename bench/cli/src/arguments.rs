//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

/// Test bench for electricity meters.
#[derive(Debug, Parser)]
#[command(name = "meterbench", version, about, propagate_version = true)]
#[command(
    after_help = "Exit codes: 0 passed, 1 a meter failed, 2 a file or an argument is wrong (nothing was energised), \
3 the bench broke, 4 nothing was decided, 130 interrupted."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run test plans, each into a directory of its own.
    Run(RunArguments),
    /// Check plans, bench, meter and fault files without running anything.
    #[command(alias = "lint")]
    Check(CheckArguments),
    /// Show what a plan will do: points, limits, clauses, impulses and time. Nothing runs.
    Explain(ExplainArguments),
    /// Put firmware into a meter over a debug probe, read it back and start it.
    Flash(FlashArguments),
    /// Serve the emulated instruments and meters of a bench, in real time.
    Emulate(EmulateArguments),
    /// Make the report of a run again from its journal.
    Report(ReportArguments),
    /// List what this version knows.
    List(ListArguments),
}

/// The bench where none is named.
pub const DEFAULT_BENCH: &str = "emulated-3ph";
/// The bench of a plan that asks a source for other waves than sines, where none is named.
pub const WAVES_BENCH: &str = "emulated-3ph-waves";

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs: one JSON object a line.
    Json,
}

#[derive(Debug, Clone, Args)]
pub struct RunArguments {
    /// Test plans.
    #[arg(required_unless_present = "resume", value_name = "PLAN")]
    pub plans: Vec<PathBuf>,
    /// Go on with a run that broke off: directory, identifier, unique beginning of one, or `latest`. With --position, test
    /// these positions of it again from the first step.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["plans", "bench", "meter", "faults", "seed"])]
    pub resume: Option<String>,
    /// Bench file, or the name of a built-in bench [default: emulated-3ph].
    #[arg(long, value_name = "FILE")]
    pub bench: Option<String>,
    /// Meter file or name; replaces the meters of an emulated bench. `all`: every built-in meter a plan applies to, one run
    /// each. Several plans without --bench and --meter are run so.
    #[arg(long, value_name = "NAME|FILE|all")]
    pub meter: Option<String>,
    /// Fault to plant, such as `gain=1.25%@2`; replaces those of the bench at that position.
    #[arg(long = "fault", value_name = "NAME[=SEV][@POS]")]
    pub faults: Vec<String>,
    /// Seed of an emulated bench.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Positions to test; the others are skipped.
    #[arg(long = "position", value_name = "1,3", value_delimiter = ',')]
    pub positions: Vec<u32>,
    /// How an emulated bench computes time in which nobody waits for an impulse.
    #[arg(long, value_enum, default_value_t)]
    pub engine: EngineChoice,
    /// Directory that holds the runs.
    #[arg(long, value_name = "DIR", default_value = "reports/runs")]
    pub out: PathBuf,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Print only plan and meter, what failed, and the last line.
    #[arg(short, long)]
    pub quiet: bool,
}

/// How an emulated bench computes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineChoice {
    /// By cycles where nobody looks, by samples where impulses are gated.
    #[default]
    Auto,
    /// Every sample.
    Samples,
}

impl From<EngineChoice> for meterbench_emulator::Engine {
    fn from(choice: EngineChoice) -> Self {
        match choice {
            EngineChoice::Auto => Self::Auto,
            EngineChoice::Samples => Self::Samples,
        }
    }
}

#[derive(Debug, Clone, Args)]
pub struct CheckArguments {
    /// Plans, bench, meter and fault files; the first key of a file says what it is.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Clone, Args)]
pub struct ExplainArguments {
    /// Test plans.
    #[arg(required = true, value_name = "PLAN")]
    pub plans: Vec<PathBuf>,
    /// Bench file, or the name of a built-in bench [default: emulated-3ph].
    #[arg(long, value_name = "FILE")]
    pub bench: Option<String>,
    /// Meter file or name; without one, that of the bench or the first built-in meter the plan applies to.
    #[arg(long, value_name = "NAME|FILE")]
    pub meter: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Clone, Args)]
#[command(
    after_help = "A meter stands at the potential of the mains. Without --isolated or `isolated: true` in the bench file, \
nothing is touched unless the voltage is off: said by the source of the bench, or by you with --voltage-off.

Exit codes: 0 the firmware is in the meter and was read back, 2 refused before anything was touched, 3 the probe, the \
chip or the source failed, 130 interrupted."
)]
pub struct FlashArguments {
    /// Firmware: the ELF file, as the linker writes it.
    #[arg(value_name = "IMAGE")]
    pub image: PathBuf,
    /// Chip of the meter, such as STM32F405RG.
    #[arg(long, value_name = "NAME", required_unless_present = "bench", conflicts_with = "bench")]
    pub chip: Option<String>,
    /// Probe, where several are connected.
    #[arg(long, value_name = "VID:PID[:SERIAL]", conflicts_with = "bench")]
    pub probe: Option<String>,
    /// The probe is galvanically isolated: it may touch a meter under voltage.
    #[arg(long, conflicts_with_all = ["bench", "voltage_off"])]
    pub isolated: bool,
    /// You have made sure that the meter is without voltage.
    #[arg(long, conflicts_with = "bench")]
    pub voltage_off: bool,
    /// Bench file of a real bench: chip, probe and isolation stand at its position; its source is asked.
    #[arg(long, value_name = "FILE")]
    pub bench: Option<String>,
    /// Position of the bench, where several have a probe.
    #[arg(long, value_name = "N", requires = "bench")]
    pub position: Option<u32>,
    /// Show the log of the firmware for so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub log: u32,
}

#[derive(Debug, Clone, Args)]
pub struct EmulateArguments {
    /// Bench file, or the name of a built-in bench.
    #[arg(long, value_name = "FILE", default_value = "emulated-3ph")]
    pub bench: String,
    #[cfg(target_os = "linux")]
    #[command(flatten)]
    pub serial: SerialArguments,
}

/// Emulated optical heads on serial lines of this computer.
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, Args)]
pub struct SerialArguments {
    /// Serve the optical port of every meter on a pseudo-terminal too, for programs that open a serial line.
    #[arg(long)]
    pub pty: bool,
    /// Octets take their time on the pseudo-terminals, ten bits each, and are lost or changed at a wrong rate.
    #[arg(long, requires = "pty")]
    pub baud_timing: bool,
    /// The heads on the pseudo-terminals return what is sent into them.
    #[arg(long, requires = "pty")]
    pub echo: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ReportArguments {
    /// Directory, identifier, unique beginning of one, or `latest`.
    #[arg(value_name = "RUN")]
    pub run: String,
    /// What is written of the waves that were played, as COMTRADE and columns, into `waveforms/` beside the report.
    #[arg(long, value_enum, default_value_t)]
    pub waveforms: Waveforms,
}

/// How much is written of what was played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Waveforms {
    /// Nothing.
    None,
    /// The stretch around every event, thirty cycles of every wave, 64 MB at most.
    #[default]
    Bounded,
    /// Everything, however long it was played.
    Whole,
}

#[derive(Debug, Clone, Args)]
pub struct ListArguments {
    #[arg(value_enum, value_name = "WHAT")]
    pub what: ListWhat,
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListWhat {
    Faults,
    Steps,
    Meters,
    Benches,
    Instruments,
    Objects,
    Standards,
}
