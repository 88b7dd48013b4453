//! What a person sees while a plan runs: a line a step, a bar on a terminal, the verdict.

use std::io::IsTerminal;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use meterbench_record::{Counts, Event, JournalLine, Measurement, Outcome, StepInfo, Subject, Value, Verdict};
use meterbench_standards::Standard;

use crate::journal::Reader;
use crate::words;

/// Failing points printed per step.
const MOST_ROWS: usize = 8;

/// Prints the events of one run.
pub struct Terminal {
    quiet: bool,
    bar: Option<ProgressBar>,
    positions: usize,
    step: Option<StepInfo>,
    counts: Counts,
    worst: Option<Measurement>,
    shown: Vec<String>,
    hidden: usize,
    citation: Option<String>,
    lost: Vec<String>,
    without_value: usize,
}

impl Terminal {
    /// Nothing but failures when `quiet`; a bar only where standard output is a terminal.
    pub fn new(quiet: bool) -> Self {
        Self {
            quiet,
            bar: None,
            positions: 1,
            step: None,
            counts: Counts::default(),
            worst: None,
            shown: Vec::new(),
            hidden: 0,
            citation: None,
            lost: Vec::new(),
            without_value: 0,
        }
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say!("{text}")),
            None => say!("{text}"),
        }
    }

    /// A run that goes on: what it is about was told by its first attempt.
    pub fn goes_on(mut self, about: &Subject, started: &str, expected_bench_ns: u64) -> Self {
        self.begin(about, started, expected_bench_ns);
        self
    }

    fn begin(&mut self, about: &Subject, started: &str, expected_bench_ns: u64) {
        self.positions = about.tested().count();
        let Some(first) = about.tested().next() else { return };
        if self.quiet {
            say!("{}   meter {}", about.plan, first.meter.name);
        } else {
            let standard = about.standard.as_deref().unwrap_or("no standard");
            let seed = about.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
            let serials: Vec<&str> = about.tested().map(|p| p.serial.as_str()).collect();
            let points: u32 = about.steps.iter().map(|s| s.points).sum();
            let limited = Standard::find(standard).and_then(|s| s.class_of(&first.meter).ok());
            let class = limited.unwrap_or(first.meter.class);
            say!("{:<44} {standard}, class {class}", about.plan);
            say!(
                "{} ({}{seed})    meter {} {}    {}, {}, {} of bench time",
                about.bench,
                about.bench_kind,
                first.meter.name,
                serials.join(", "),
                words::plural(self.positions, "position"),
                words::plural(points as usize, "point"),
                words::duration(expected_bench_ns as f64 / 1e9),
            );
            for instrument in &about.instruments {
                let today = started.get(..10).unwrap_or_default();
                if let (Some(due), Some(certificate)) = (&instrument.due, &instrument.certificate)
                    && due.as_str() < today
                {
                    say!(
                        "WARNING: the calibration of the {} (certificate {certificate}) was due on {due}",
                        instrument.role
                    );
                }
            }
            for position in about.positions.iter().filter(|p| !p.faults.is_empty()) {
                say!("position {}: planted {}", position.id, position.faults.join(", "));
            }
            say!();
            if std::io::stdout().is_terminal() {
                let bar = ProgressBar::new(expected_bench_ns / 1_000_000);
                let template = "  >>    {msg:<48} [{bar:24}] {eta} left";
                bar.set_style(
                    ProgressStyle::with_template(template)
                        .unwrap_or_else(|_| ProgressStyle::default_bar())
                        .progress_chars("#>-"),
                );
                self.bar = Some(bar);
            }
        }
    }

    fn measured(&mut self, m: &Measurement) {
        self.counts.add(m);
        self.without_value += usize::from(m.value == Value::None || m.verdict == Some(Verdict::NotObservable));
        if m.value.number().is_some()
            && !is_exact(m)
            && share_of_limit(m) >= self.worst.as_ref().map_or(-1.0, share_of_limit)
        {
            self.worst = Some(m.clone());
        }
        let bad = match m.verdict {
            Some(Verdict::Fail) => {
                if m.decides {
                    "FAIL"
                } else {
                    "note"
                }
            }
            Some(Verdict::Inconclusive) if m.decides => "INCONCLUSIVE",
            Some(Verdict::Inconclusive) => "note",
            _ => return,
        };
        if self.shown.len() >= MOST_ROWS {
            self.hidden += 1;
            return;
        }
        let position = if self.positions > 1 { format!("position {}  ", m.position) } else { String::new() };
        let limit = m.limit.as_ref().map(|l| words::limit(l, &m.unit));
        let limit = limit.unwrap_or_else(|| words::expected(m).to_owned());
        let row = format!(
            "        {position}{:<26} {:>12} {:>10} {:>14}   {bad}  {}",
            format!("{} {}", words::point(m), if m.quantity == "percentage-error" { "" } else { &m.quantity })
                .trim_end(),
            words::value(m),
            words::uncertainty(m),
            limit,
            words::outside(m),
        );
        self.shown.push(row.trim_end().to_owned());
        if let Some(limit) = &m.limit {
            let citation = format!("{}, {}", limit.source, limit.row);
            match &self.citation {
                None => self.citation = Some(citation),
                Some(same) if *same == citation => {}
                Some(_) => self.citation = Some(format!("{}, several rows: see report", limit.source)),
            }
        }
    }

    /// `broken` is the word for a step that did not come to its end.
    fn end_step(&mut self, broken: Option<&'static str>) {
        let Some(step) = self.step.take() else { return };
        let counts = std::mem::take(&mut self.counts);
        let mark = match counts {
            Counts { fail: 1.., .. } => "FAIL",
            _ if broken.is_some() => broken.unwrap_or_default(),
            Counts { inconclusive: 1.., .. } => "open",
            Counts { advisory: 1.., .. } => "note",
            _ if !self.lost.is_empty() => "lost",
            Counts { pass: 0, .. } if self.without_value > 0 => "none",
            Counts { pass: 0, unlimited: 1.., .. } => "shown",
            _ => "ok",
        };
        let without_value = std::mem::take(&mut self.without_value);
        let worst = self.worst.take();
        let measured = step.points > 0;
        let mut line = format!("  {mark:<5} {:<15} {:<20}", step.kind, step.name);
        if measured {
            let points = step.points as usize * self.positions;
            line.push_str(&format!(" {points:>3} {}", if points == 1 { "point " } else { "points" }));
        }
        if counts.fail > 0 {
            line.push_str(&format!("   {} fail", counts.fail));
        } else if let Some(worst) = &worst {
            let limit =
                worst.limit.as_ref().map(|l| format!(" of {}", words::limit(l, &worst.unit))).unwrap_or_default();
            let u = words::uncertainty(worst);
            let u = if u.is_empty() { String::new() } else { format!("   U {u}") };
            line.push_str(&format!("   worst {}{limit}  at {}{u}", words::value(worst), words::point(worst)));
        }
        if without_value > 0 && counts.fail == 0 {
            line.push_str(&format!("   {without_value} without a value, see report"));
        }
        if counts.advisory > 0 {
            line.push_str(&format!("   {} advisory", counts.advisory));
        }
        let (shown, hidden) = (std::mem::take(&mut self.shown), std::mem::take(&mut self.hidden));
        if !self.quiet || counts.fail > 0 || !self.lost.is_empty() {
            self.say(&line);
            for lost in std::mem::take(&mut self.lost) {
                self.say(&format!("        LOST  {lost}"));
            }
            if !shown.is_empty() {
                self.say(&format!("\n        {:<26} {:>12} {:>10} {:>14}", "point", "value", "U", "limit"));
                shown.iter().for_each(|row| self.say(row));
                let more = if hidden > 0 { format!("... {hidden} more, see report") } else { String::new() };
                let citation = self.citation.take().unwrap_or_default();
                self.say(&format!("        {more:<28} {citation}\n"));
            }
        }
    }
}

/// How much of its limit a value uses; 0 without a limit.
fn share_of_limit(m: &Measurement) -> f64 {
    let (Some(value), Some(limit)) = (m.value.number(), &m.limit) else { return 0.0 };
    match (limit.low, limit.high) {
        (Some(low), None) => (low / value).abs(),
        (Some(low), Some(high)) => ((2.0 * value - low - high) / (high - low)).abs(),
        (_, Some(0.0)) if value == 0.0 => 0.0,
        (_, high) => high.map_or(0.0, |high| (value / high).abs()),
    }
}

/// A count that must be exact is right or wrong: it is not near its limit.
fn is_exact(m: &Measurement) -> bool {
    m.limit.as_ref().is_some_and(|limit| limit.low.is_some() && limit.low == limit.high)
}

impl Reader for Terminal {
    fn line(&mut self, line: &JournalLine) {
        if let Some(bar) = &self.bar {
            bar.set_position(line.bench_ns / 1_000_000);
        }
        match &line.event {
            Event::RunStarted(start) => self.begin(&start.subject, &start.run.started, start.expected_bench_ns),
            Event::StepStarted(step) => {
                self.worst = None;
                self.step = Some(step.clone());
            }
            Event::PointStarted { at, .. } => {
                if let (Some(bar), Some(step)) = (&self.bar, &self.step) {
                    bar.set_message(format!("{:<15} {at:<18} {}", step.kind, words::clock(line.bench_ns)));
                }
            }
            Event::Measured { measurement } => self.measured(measurement),
            Event::PositionLost { position, text, .. } => self.lost.push(format!("position {position}: {text}")),
            Event::Flashed(f) if !self.quiet => {
                self.say(&format!("        position {}: {} bytes of {} in {}", f.position, f.bytes, f.image, f.chip));
            }
            Event::Logged(line) if !self.quiet => {
                self.say(&format!("        position {}: {}", line.position, line.text));
            }
            Event::StepEnded(_) => self.end_step(None),
            Event::RunEnded { outcome, .. } => {
                self.end_step(Some(if *outcome == Outcome::Interrupted { "stop" } else { "broke" }));
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
            Event::RunResumed { step, attempt, .. } => self.say(&format!("  attempt {attempt}, from step {step}")),
            Event::Noted { text, .. } if !self.quiet => self.say(&format!("  note  {text}")),
            Event::Flashed(_) | Event::Logged(_) => {}
            Event::Noted { .. } | Event::Played(_) | Event::BenchFailed { .. } | Event::Unknown(_) => {}
        }
    }
}

/// How one run ended, for its last lines and for the table over several runs.
#[derive(Debug, Clone)]
pub struct Summary {
    pub plan: String,
    /// Names of the meters that were tested.
    pub meter: String,
    pub outcome: Outcome,
    pub counts: Counts,
    pub bench_seconds: f64,
    pub wall_seconds: f64,
    pub points: u32,
    pub directory: std::path::PathBuf,
    pub failure: Option<Failure>,
    /// What is known of the outputs.
    pub outputs: String,
}

/// A broken bench in words.
#[derive(Debug, Clone)]
pub struct Failure {
    pub text: String,
    pub during: String,
    pub outputs: String,
    pub bench_ns: u64,
}

impl Summary {
    pub fn counted(&self) -> String {
        let c = &self.counts;
        let mut text = format!("{} pass  {} fail  {} inconclusive", c.pass, c.fail, c.inconclusive);
        for (n, word) in [
            (c.advisory, "advisory"),
            (c.not_observable, "not observable"),
            (c.skipped, "skipped"),
            (c.unlimited, "without limit"),
        ] {
            if n > 0 {
                text.push_str(&format!("  {n} {word}"));
            }
        }
        text
    }

    /// Measurements that are in the record.
    fn kept(&self) -> u32 {
        let c = &self.counts;
        c.pass + c.fail + c.inconclusive + c.advisory + c.not_observable + c.skipped + c.unlimited
    }

    pub fn print(&self) {
        if let Some(failure) = &self.failure {
            say!("ERROR  {}", failure.text);
            say!("       during {}, bench time {}", failure.during, words::clock(failure.bench_ns));
            say!("       outputs: {}", failure.outputs);
            say!(
                "       {} of {} points were measured and are kept in {}/",
                self.kept(),
                self.points,
                self.directory.display()
            );
        }
        let outcome = self.outcome;
        if self.failure.is_none() && outcome >= Outcome::Error {
            say!("\noutputs: {}", self.outputs);
        }
        say!(
            "\n{}   {}       {} of bench time in {}{}",
            outcome.word(),
            self.counted(),
            words::duration(self.bench_seconds),
            words::duration(self.wall_seconds),
            if outcome == Outcome::Pass { String::new() } else { format!("       exit {}", outcome.exit_code()) }
        );
        say!("report {}", report_file(&self.directory).display());
    }
}

pub fn report_file(directory: &Path) -> std::path::PathBuf {
    directory.join("report.html")
}
