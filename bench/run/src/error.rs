//! The bench is broken. Never a verdict on the meter.

use meterbench_instruments::InstrumentError;

/// Why a run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Instrument(#[from] InstrumentError),
    #[error("the source does not reach its set-point: {what} is {read}, asked for {asked}")]
    NotSettled { what: String, read: String, asked: String },
    #[error("the error calculator of position {position} says {instrument} %, its own counts give {computed} %")]
    Arithmetic { position: u32, instrument: f64, computed: f64 },
    #[error("the error calculator of position {position} was aborted")]
    Aborted { position: u32 },
    #[error("the reference counted {counted:.1} Wh in twice the time for {wanted:.1} Wh: no load reached it")]
    NoEnergy { counted: f64, wanted: f64 },
    #[error("the chamber does not reach {asked} °C: it stands at {read} °C after {hours} h")]
    NoClimate { asked: f64, read: f64, hours: f64 },
    #[error("the source was switched off and still says {read}: no probe that is not isolated may touch a meter")]
    StillOn { read: String },
    #[error("position {position} has no probe")]
    NoProbe { position: u32 },
    #[error("the plan asks for {asked} °C and the bench has no chamber")]
    NoChamber { asked: f64 },
    #[error(
        "the plan asks for {asked}, and the source of this bench makes sines only: the built-in bench `emulated-3ph-waves` has one that makes waves"
    )]
    NoWaves { asked: String },
    #[error("{what} stands for {asked} s, and the source of this bench needs {slow} s for a change")]
    TooFast { what: String, asked: f64, slow: f64 },
    #[error(
        "{what} is played every {asked} s, and the source of this bench needs {least} s from one begin to the next"
    )]
    TooDense { what: String, asked: f64, least: f64 },
    #[error("the journal cannot be written: its writer has gone")]
    JournalGone,
}

impl RunError {
    /// What the author of a plan can do about a set-point that is refused.
    pub(crate) fn remedy(&self) -> String {
        match self {
            Self::Instrument(InstrumentError::BeyondLimit { limit, .. }) => format!("stay within {limit}"),
            Self::NoWaves { .. } => "choose a bench whose source makes waves".to_owned(),
            Self::TooFast { slow, .. } => format!("let it stand for {slow} s or longer"),
            Self::TooDense { least, .. } => format!("write `every: {least} s` or more"),
            Self::NoChamber { .. } => "choose a bench with a chamber".to_owned(),
            _ => "change the step, or choose another bench with `--bench`".to_owned(),
        }
    }
}
