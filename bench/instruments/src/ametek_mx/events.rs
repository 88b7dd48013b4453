//! A voltage event as a transient: one list of two points per phase, all started by one angle of the reference.

use std::time::Duration;

use meterbench_waveform::VoltageEvent;
use tokio::time::sleep;

use super::{AmetekMx, Standing, of, told};
use crate::roles::InstrumentError;
use crate::shape;

/// How long the second point, which is what stood before, is held (s).
const AFTER: f64 = 0.01;
const ASKED_EVERY: Duration = Duration::from_millis(50);
/// To tell the lists of three phases, and to take them back.
const LISTING: Duration = Duration::from_millis(20);
/// A transient that is not over by then hangs.
const TRIES: u32 = 40;

/// From the end of an event to the begin of the next: the second point, one look too early, the lists, and a wait for the angle.
pub(super) fn pause(hertz: f64) -> Duration {
    Duration::from_secs_f64(1.0 / hertz + AFTER) + ASKED_EVERY + LISTING
}

impl AmetekMx {
    pub(super) async fn transient(
        &mut self,
        standing: &Standing,
        leads: &[f64; 3],
        event: &VoltageEvent,
    ) -> Result<(), InstrumentError> {
        let jumped = [0, 1, 2].map(|n| leads[n] + if event.phases[n] { event.phase_jump_deg } else { 0.0 });
        let (stood, jumped) = (told(leads), told(&jumped));
        for n in 0..3 {
            let Some(phase) = &standing.phases[n] else { continue };
            let turned = shape::wrapped(jumped[n] - stood[n]);
            if !event.phases[n] && turned == 0.0 {
                continue;
            }
            let mut commands = Vec::new();
            if event.phases[n] {
                commands.push("VOLT:MODE LIST".into());
                commands.push(format!("LIST:VOLT {:.3},{:.3}", phase.volt * event.share, phase.volt));
            }
            if turned != 0.0 {
                commands.push("PHAS:MODE LIST".into());
                commands.push(format!("LIST:PHAS {:.3},{:.3}", jumped[n], stood[n]));
            }
            commands.push(format!("LIST:DWEL {:.6},{AFTER}", event.seconds));
            for command in commands {
                self.scpi.tell(&of(n, &command)).await?;
            }
        }
        // The reference stands where L1 would be if it were not ahead of it.
        let reference = (event.point_on_wave_deg - stood[0]).rem_euclid(360.0);
        let sync = format!("TRIG:SYNC:PHAS {reference:.3}");
        for command in ["LIST:COUN 1", "LIST:STEP AUTO", "TRIG:TRAN:SOUR IMM", "TRIG:SYNC:SOUR PHAS", &sync, "INIT"] {
            self.scpi.tell(command).await?;
        }
        let period = standing.hertz.map_or(0.0, |hertz| 1.0 / hertz);
        sleep(Duration::from_secs_f64(period + event.seconds + AFTER)).await;
        self.ended().await?;
        for n in 0..3 {
            for command in ["VOLT:MODE FIX", "PHAS:MODE FIX"] {
                self.scpi.tell(&of(n, command)).await?;
            }
        }
        if !self.scpi.switch("OUTP?").await? {
            return Err(self.reported("its output went off during a voltage event"));
        }
        Ok(())
    }

    async fn ended(&mut self) -> Result<(), InstrumentError> {
        for _ in 0..TRIES {
            if self.scpi.ask("TRIG:STAT?").await?.eq_ignore_ascii_case("IDLE") {
                return Ok(());
            }
            sleep(ASKED_EVERY).await;
        }
        Err(self.reported("its transient does not end"))
    }
}
