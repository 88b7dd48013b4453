//! `run`: every plan in a directory of its own, one exit code over all.

use std::fs::{self, File};
use std::future::Future;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::mpsc::SyncSender;
use std::time::Instant;

use jiff::Zoned;
use meterbench_emulator::Laboratory;
use meterbench_link::Tracer;
use meterbench_plan::{FileKind, PlanFile, ResolvedPlan, Source, file_kind};
use meterbench_record::{
    Counts, EngineTime, Event, JournalLine, Outcome, RunInfo, RunStart, SCHEMA_JOURNAL, Subject, slug,
};
use meterbench_run::{Bench, Recorder, check_set_points, expected_seconds, step_info, supervise};
use meterbench_standards::REFERENCE_C;
use sha2::{Digest, Sha256};

use crate::arguments::{DEFAULT_BENCH, Format, RunArguments, WAVES_BENCH, Waveforms};
use crate::assemble::{self, Changes, Equipped};
use crate::catalogue::{self, Refusal};
use crate::diagnostics;
use crate::digest;
use crate::firmware;
use crate::journal::{self, Reader};
use crate::report;
use crate::resume::{self, From};
use crate::stop;
use crate::terminal::{Failure, Summary, Terminal};

/// A plan that has been checked against the bench.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub source: Source,
    pub plan: ResolvedPlan,
}

/// One plan on one equipped bench.
struct Job {
    prepared: Prepared,
    equipped: Equipped,
}

/// Runs all plans; the exit code.
pub fn run(arguments: &RunArguments) -> u8 {
    if let Some(run) = &arguments.resume {
        return match resume::find(run, arguments) {
            Ok(resumed) => {
                stop::listen();
                finish_one(&resumed.prepared, &resumed.equipped, arguments, Some(&resumed.from))
            }
            Err(refusal) => diagnostics::refuse(&refusal),
        };
    }
    // All files are checked before the first plan runs.
    let jobs = match jobs(arguments) {
        Ok(jobs) => jobs,
        Err(code) => return code,
    };
    if let Err(error) = fs::create_dir_all(&arguments.out).and_then(|()| writable(&arguments.out)) {
        return diagnostics::refuse(&Refusal::Words(format!("{} cannot be written: {error}", arguments.out.display())));
    }
    stop::listen();
    let mut summaries = Vec::new();
    for job in &jobs {
        if stop::is_requested() {
            say!("INTERRUPTED   before {}", job.prepared.plan.title);
            return Outcome::Interrupted.exit_code();
        }
        let summary = match run_one(&job.prepared, &job.equipped, arguments, None) {
            Ok(summary) => summary,
            Err(text) => {
                complain!("error: {text}");
                return Outcome::Error.exit_code();
            }
        };
        match arguments.format {
            Format::Human => summary.print(),
            Format::Json => say!("{}", json(&summary)),
        }
        let interrupted = summary.outcome == Outcome::Interrupted;
        summaries.push(summary);
        if interrupted {
            break;
        }
    }
    if summaries.len() > 1 && arguments.format == Format::Human {
        say!();
        for s in &summaries {
            say!("{:<12} {:<50} {:<24} {}", s.outcome.word(), s.plan, s.meter, s.counted());
        }
    }
    summaries.iter().map(|s| s.outcome).max().unwrap_or(Outcome::Undecided).exit_code()
}

/// One run alone: the exit code.
fn finish_one(prepared: &Prepared, equipped: &Equipped, arguments: &RunArguments, from: Option<&From>) -> u8 {
    match run_one(prepared, equipped, arguments, from) {
        Ok(summary) => {
            match arguments.format {
                Format::Human => summary.print(),
                Format::Json => say!("{}", json(&summary)),
            }
            summary.outcome.exit_code()
        }
        Err(text) => {
            complain!("error: {text}");
            Outcome::Error.exit_code()
        }
    }
}

/// Which meters are meant.
fn every_meter(arguments: &RunArguments) -> bool {
    let named = arguments.bench.is_some() || arguments.meter.is_some();
    arguments.meter.as_deref() == Some("all") || !named && arguments.plans.len() > 1
}

/// Every plan with every bench it runs on; the exit code if something is wrong with them.
fn jobs(arguments: &RunArguments) -> Result<Vec<Job>, u8> {
    let mut jobs = Vec::new();
    let (mut errors, mut files) = (0, 0);
    let equipped = if every_meter(arguments) {
        None
    } else {
        Some(equip(arguments, arguments.meter.clone()).map_err(|refusal| diagnostics::refuse(&refusal))?)
    };
    for path in &arguments.plans {
        let found = match &equipped {
            Some(equipped) => for_one_bench(path, arguments, equipped).map(|job| vec![job]),
            None => for_every_meter(path, arguments),
        };
        match found {
            Ok(mut found) => jobs.append(&mut found),
            Err(Refusal::Words(text)) => {
                complain!("error: {text}");
                errors += 1;
                files += 1;
            }
            Err(Refusal::Findings(source, findings)) => {
                for finding in &findings {
                    match arguments.format {
                        Format::Human => complain!("{}", diagnostics::render(&source, finding)),
                        Format::Json => say!("{}", diagnostics::json(&source, finding)),
                    }
                }
                errors += findings.len();
                files += 1;
            }
        }
    }
    if errors == 0 {
        return Ok(jobs);
    }
    complain!("{}", diagnostics::summary(errors, files));
    Err(2)
}

/// The bench a plan runs on where none is named: one whose source can play what it asks for.
fn default_bench(plan: Option<&PlanFile>) -> &'static str {
    if plan.is_some_and(PlanFile::needs_waves) { WAVES_BENCH } else { DEFAULT_BENCH }
}

/// A plan on the bench of this run, or on one of its own where no bench is named.
fn for_one_bench(path: &Path, arguments: &RunArguments, equipped: &Equipped) -> Result<Job, Refusal> {
    let source = catalogue::read_file(path)?;
    let plan = PlanFile::read(&source).ok();
    let bench = default_bench(plan.as_ref());
    let equipped = if arguments.bench.is_none() && bench != DEFAULT_BENCH {
        equip_on(bench, arguments, arguments.meter.clone())?
    } else {
        equipped.clone()
    };
    Ok(Job { prepared: prepare_source(source, &equipped)?, equipped })
}

fn equip(arguments: &RunArguments, meter: Option<String>) -> Result<Equipped, Refusal> {
    equip_on(DEFAULT_BENCH, arguments, meter)
}

/// The bench that is named, or this one.
fn equip_on(bench: &str, arguments: &RunArguments, meter: Option<String>) -> Result<Equipped, Refusal> {
    let changes = Changes {
        meter,
        faults: arguments.faults.clone(),
        seed: arguments.seed,
        positions: arguments.positions.clone(),
        engine: arguments.engine,
    };
    assemble::equip(arguments.bench.as_deref().unwrap_or(bench), &changes)
}

/// A plan and a bench to read it by: nothing will run.
pub fn prepare_for_reading(
    path: &Path,
    bench: Option<&str>,
    meter: Option<&str>,
) -> Result<(Prepared, Equipped), Refusal> {
    let source = catalogue::read_file(path)?;
    // What is wrong with it is said when it is prepared.
    let plan = PlanFile::read(&source).ok();
    let with = |meter: Option<String>| {
        let changes = Changes { meter, ..Changes::default() };
        assemble::equip(bench.unwrap_or(default_bench(plan.as_ref())), &changes)
    };
    let mut equipped = with(meter.map(str::to_owned))?;
    if let (Some(plan), None, None) = (&plan, bench, meter) {
        let fits = |name: &str| catalogue::meter(name).is_ok_and(|meter| plan.applies_to(&meter.nameplate));
        let own = plan.applies_to(&equipped.positions[0].meter);
        if let Some((name, _)) = catalogue::METERS.iter().find(|(name, _)| !own && fits(name)) {
            equipped = with(Some((*name).to_owned()))?;
        }
    }
    Ok((prepare_source(source, &equipped)?, equipped))
}

/// A plan on every built-in meter it applies to.
fn for_every_meter(path: &Path, arguments: &RunArguments) -> Result<Vec<Job>, Refusal> {
    let source = catalogue::read_file(path)?;
    let plan = PlanFile::read(&source).map_err(|findings| Refusal::Findings(source.clone(), findings))?;
    let mut jobs = Vec::new();
    for (name, _) in catalogue::METERS {
        if plan.applies_to(&catalogue::meter(name)?.nameplate) {
            let equipped = equip_on(default_bench(Some(&plan)), arguments, Some((*name).to_owned()))?;
            let prepared = prepare_source(source.clone(), &equipped)?;
            jobs.push(Job { prepared, equipped });
        }
    }
    if jobs.is_empty() {
        return Err(Refusal::Words(format!("{} applies to no built-in meter; name one with `--meter`", source.name)));
    }
    Ok(jobs)
}

/// Resolves a plan for the meters of the bench.
pub fn prepare_source(source: Source, equipped: &Equipped) -> Result<Prepared, Refusal> {
    // Every meter must be one the plan is for; their ratings are equal, so the points are those of the first.
    let plates = || equipped.positions.iter().filter(|p| !p.skip).map(|p| &p.meter);
    // A chamber holds the reference temperature whatever stands around it.
    let ambient = if equipped.file.chamber.is_some() { REFERENCE_C } else { equipped.file.emulation.ambient_c };
    let resolve = |plan: PlanFile| {
        let mut resolved = plates().map(|plate| plan.resolve(plate, ambient)).collect::<Result<Vec<_>, _>>()?;
        Ok(resolved.swap_remove(0))
    };
    let resolved = match file_kind(&source) {
        Ok(FileKind::Plan) => PlanFile::read(&source).and_then(resolve),
        Ok(_) => {
            return Err(Refusal::Words(format!(
                "{} is no plan: `run` takes files that begin with `plan:`",
                source.name
            )));
        }
        Err(findings) => Err(findings),
    };
    match resolved {
        Ok(plan) => {
            let mut source_driver = assemble::idle_source(equipped)?;
            let systems = equipped.positions[0].meter.systems;
            let chamber = assemble::idle_chamber(equipped);
            let refused = check_set_points(source_driver.as_mut(), chamber.as_deref(), &plan, systems);
            if !refused.is_empty() {
                return Err(Refusal::Findings(source, refused));
            }
            firmware::check(&plan, &equipped.file.positions, &source)?;
            Ok(Prepared { source, plan })
        }
        Err(findings) => Err(Refusal::Findings(source, findings)),
    }
}

/// Tries a file, so that a wrong `--out` is told before anything is energised.
fn writable(directory: &Path) -> io::Result<()> {
    let probe = directory.join(format!(".meterbench-{}", std::process::id()));
    File::create(&probe)?;
    fs::remove_file(probe)
}

/// A directory of its own for this run: date, plan and four letters.
fn run_directory(out: &Path, source: &Source) -> io::Result<(String, PathBuf)> {
    let stem = Path::new(&source.name).file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    fs::create_dir_all(out)?;
    for attempt in 0..1000u64 {
        let now = Zoned::now();
        let entropy = now.timestamp().as_nanosecond() as u64 ^ u64::from(std::process::id()) << 32 ^ attempt << 56;
        let digest = Sha256::digest(entropy.to_le_bytes());
        let letters: String = digest
            .iter()
            .take(4)
            .map(|b| char::from(b"abcdefghjkmnpqrstvwxyz2345678999"[usize::from(b % 32)]))
            .collect();
        let id = format!("{}-{}-{letters}", now.strftime("%Y-%m-%d-%H%M%S"), slug(&stem));
        let directory = out.join(&id);
        match fs::create_dir(&directory) {
            Ok(()) => return Ok((id, directory)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("no free name for a run"))
}

fn run_one(
    prepared: &Prepared,
    equipped: &Equipped,
    arguments: &RunArguments,
    from: Option<&From>,
) -> Result<Summary, String> {
    let (id, directory) = match from {
        Some(from) => (from.record.run.id.clone(), from.directory.clone()),
        None => run_directory(&arguments.out, &prepared.source)
            .map_err(|e| format!("{} cannot be written: {e}", arguments.out.display()))?,
    };
    let failed = |error: io::Error| format!("{} cannot be written: {error}", directory.display());
    let readers: Vec<Box<dyn Reader>> = match arguments.format {
        Format::Human => {
            let terminal = Terminal::new(arguments.quiet);
            let chamber = equipped.file.chamber.is_some();
            vec![Box::new(match from {
                None => terminal,
                Some(from) => {
                    let seconds = expected_seconds(&prepared.plan, &equipped.positions[0].meter, chamber);
                    terminal.goes_on(&from.record.subject, &from.at, (seconds * 1e9) as u64)
                }
            })]
        }
        Format::Json => Vec::new(),
    };
    let file = match from {
        Some(from) => journal::go_on(&from.journal),
        None => resume::keep_inputs(&directory, prepared, equipped)
            .and_then(|()| journal::create(&journal::events_file(&directory))),
    };
    let (lines, writer) = journal::start(file.map_err(failed)?, readers).map_err(failed)?;
    let started = Instant::now();
    let run = RunInfo {
        id,
        started: now(),
        host: host(),
        operator: None,
        wall_seconds: 0.0,
        out: directory.display().to_string(),
        image: equipped.image.clone(),
    };
    let wire = File::options().create(true).append(true).open(directory.join("wire.log")).map_err(failed)?;
    let runtime = emulated_runtime().map_err(failed)?;
    let (outcome, laboratory) = runtime.block_on(async {
        let laboratory = Laboratory::start(&equipped.config).map_err(|error| error.to_string())?;
        let tracer = Tracer::new(BufWriter::new(wire), laboratory.epoch());
        let wires = Wires { lines, tracer: Some(tracer) };
        let begin = Begin { run, started, from };
        let outcome = conduct(prepared, equipped, &laboratory, begin, wires, stop::requested()).await?;
        Ok::<_, String>((outcome, laboratory))
    })?;
    drop(runtime);
    firmware::settle();
    // A journal that broke must not hide what is known of the outputs.
    let outputs = &outcome.outputs;
    match writer.join() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            return Err(format!(
                "{}; outputs: {outputs}; what was measured until then is kept in it, and with more room `meterbench run --resume {}` goes on",
                failed(error),
                directory.display()
            ));
        }
        Err(_) => return Err(format!("the thread of the journal has failed; outputs: {outputs}")),
    }
    write_logs(&laboratory, &directory, from.map_or(1, |from| from.attempt))
        .map_err(|error| format!("{}; outputs: {outputs}", failed(error)))?;
    let points = prepared.plan.steps.iter().map(|s| step_info(s).points).sum::<u32>();
    let active = equipped.positions.iter().filter(|p| !p.skip).count() as u32;
    report::write(&directory, Waveforms::default())
        .map_err(|error| format!("{}: {error}; outputs: {outputs}", directory.display()))?;
    Ok(Summary {
        plan: prepared.plan.title.clone(),
        meter: meters(equipped),
        outcome: outcome.outcome,
        counts: outcome.counts,
        bench_seconds: outcome.bench_ns as f64 / 1e9,
        wall_seconds: started.elapsed().as_secs_f64(),
        points: points * active,
        directory,
        failure: outcome.failure,
        outputs: outcome.outputs.clone(),
    })
}

/// Bench time is virtual: the clock is paused from its first instant and moves when everybody waits.
pub fn emulated_runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()
}

/// What came out of a run.
pub struct Conducted {
    pub outcome: Outcome,
    pub counts: Counts,
    pub bench_ns: u64,
    pub failure: Option<Failure>,
    /// What is known of the outputs.
    pub outputs: String,
}

/// Where a run writes while it goes on.
pub struct Wires {
    /// The journal.
    pub lines: SyncSender<JournalLine>,
    /// Transcript of what passes between drivers and instruments.
    pub tracer: Option<Tracer>,
}

/// How a run begins.
pub struct Begin<'a> {
    pub run: RunInfo,
    /// On the wall.
    pub started: Instant,
    /// What it goes on from.
    pub from: Option<&'a From>,
}

/// Runs the plan in this laboratory under supervision and says the last word.
pub async fn conduct(
    prepared: &Prepared,
    equipped: &Equipped,
    laboratory: &Laboratory,
    begin: Begin<'_>,
    wires: Wires,
    stop: impl Future<Output = ()>,
) -> Result<Conducted, String> {
    let Wires { lines, tracer } = wires;
    let Begin { run, started, from } = begin;
    let heart = laboratory.clone();
    let beat = assemble::heart_beat(equipped.positions.len());
    let heart = tokio::spawn(async move { heart.heart(beat).await });
    let mut connected = match assemble::connect(equipped, laboratory, tracer.as_ref()) {
        Ok(connected) => connected,
        Err(Refusal::Words(text)) => return Err(text),
        Err(Refusal::Findings(..)) => return Err("the bench file is not sound".into()),
    };
    let (instruments, identified) = assemble::identify(equipped, &mut connected).await;
    let told = |error: meterbench_run::RunError| error.to_string();
    let (first_step, measured) = match from {
        None => (1, Vec::new()),
        Some(from) => {
            connected.places.iter_mut().for_each(|place| place.attempt = from.attempt);
            (from.first_step, from.continued().measurements)
        }
    };
    let mut recorder = match from {
        None => {
            let mut recorder = Recorder::new(lines, laboratory.epoch());
            let start = run_start(prepared, equipped, run, instruments);
            recorder.emit(Event::RunStarted(Box::new(start))).map_err(told)?;
            recorder
        }
        Some(from) => {
            let mut recorder = Recorder::after(&from.continued(), lines, laboratory.epoch());
            recorder.emit(from.event()).map_err(told)?;
            recorder
        }
    };
    let (outcome, outputs, mut recorder, mut failure) = match identified {
        Err(error) => {
            let text = laboratory.failure().map_or_else(|| error.to_string(), |broken| broken.to_string());
            let during = "identification of the instruments".to_owned();
            let outputs = "nothing was switched on".to_owned();
            let failure = Failure {
                text: text.clone(),
                during: during.clone(),
                outputs: outputs.clone(),
                bench_ns: recorder.bench_ns(),
            };
            recorder.emit(Event::BenchFailed { text, during, outputs: outputs.clone() }).map_err(told)?;
            (Some(Outcome::Error), outputs, recorder, Some(failure))
        }
        Ok(()) => {
            let bench = Bench::new(
                connected.instruments,
                assemble::calibrations(&equipped.file),
                connected.places,
                recorder,
                prepared.plan.decision_rule,
                measured,
            );
            let during = bench.during.clone();
            // A meter whose body breaks ends the run like a stop: nothing is waited for that cannot come.
            let mut stopped = false;
            let ending = async {
                tokio::select! { biased; () = stop => stopped = true, () = laboratory.broken() => {} }
            };
            let mut ended = supervise(bench, prepared.plan.clone(), first_step, ending).await;
            // The last look at the world: what breaks in it is told too.
            laboratory.observe(|_| ());
            if !stopped && let Some(broken) = laboratory.failure() {
                let during = during.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let (text, outputs) = (broken.to_string(), ended.outputs.clone());
                let event = Event::BenchFailed { text: text.clone(), during: during.clone(), outputs };
                ended.recorder.emit(event).map_err(told)?;
                (ended.outcome, ended.failure) = (Some(Outcome::Error), Some((text, during)));
            }
            let failure = ended.failure.map(|(text, during)| Failure {
                text,
                during,
                outputs: ended.outputs.clone(),
                bench_ns: ended.recorder.bench_ns(),
            });
            (ended.outcome, ended.outputs, ended.recorder, failure)
        }
    };
    heart.abort();
    let by_position = recorder.counts();
    let positions = from.map_or(&equipped.positions, |from| &from.record.subject.positions);
    let tested = positions.iter().filter(|p| !p.skip).map(|p| p.id);
    let mut outcome = outcome.unwrap_or_else(|| Counts::strongest(&by_position, tested));
    let bench_ns = recorder.bench_ns();
    let wall_seconds = started.elapsed().as_secs_f64();
    let engine = equipped.positions.iter().find(|p| !p.skip).map(|p| {
        let seconds = laboratory.engine_seconds(p.id);
        EngineTime { samples_s: seconds.samples, cycles_s: seconds.cycles }
    });
    let last = Event::RunEnded { outcome, outputs: outputs.clone(), wall_seconds, engine };
    if let Err(error) = recorder.emit(last) {
        outcome = outcome.max(Outcome::Error);
        failure.get_or_insert(Failure {
            text: error.to_string(),
            during: "the end of the run".into(),
            outputs: outputs.clone(),
            bench_ns,
        });
    }
    let counts = by_position.values().fold(Counts::default(), Counts::plus);
    Ok(Conducted { outcome, counts, bench_ns, failure, outputs })
}

fn run_start(
    prepared: &Prepared,
    equipped: &Equipped,
    run: RunInfo,
    instruments: Vec<meterbench_record::InstrumentInfo>,
) -> RunStart {
    let plan = &prepared.plan;
    let chamber = equipped.file.chamber.is_some();
    let expected = expected_seconds(plan, &equipped.positions[0].meter, chamber);
    let subject = Subject {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan: plan.title.clone(),
        plan_file: Path::new(&prepared.source.name)
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default(),
        plan_sha256: digest::of(&prepared.source.text),
        bench_sha256: Some(equipped.bench_sha256.clone()),
        standard: plan.standard.clone(),
        decision_rule: plan.decision_rule.name().to_owned(),
        bench: equipped.file.title.clone(),
        bench_kind: "emulated".to_owned(),
        seed: Some(equipped.config.seed),
        instruments,
        positions: equipped.positions.clone(),
        steps: plan.steps.iter().map(step_info).collect(),
    };
    RunStart { schema: SCHEMA_JOURNAL.to_owned(), run, subject, expected_bench_ns: (expected * 1e9) as u64 }
}

/// What the emulated instruments were told and put out.
fn write_logs(laboratory: &Laboratory, directory: &Path, attempt: u32) -> io::Result<()> {
    use io::Write;
    for name in laboratory.instruments() {
        let Some(log) = laboratory.log(&name) else { continue };
        let again = if attempt > 1 { format!("-attempt-{attempt}") } else { String::new() };
        let file = directory.join(format!("instrument-{}{again}.log", slug(&name)));
        let mut file = BufWriter::new(File::create(file)?);
        for line in log.lines() {
            writeln!(file, "{line}")?;
        }
        for (question, (count, last)) in log.questions() {
            writeln!(file, "# asked {count} times, last at {last}: {question}")?;
        }
        file.flush()?;
    }
    Ok(())
}

/// ISO 8601 with offset.
pub fn now() -> String {
    Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Names of the meters that are tested, each once.
fn meters(equipped: &Equipped) -> String {
    let mut names: Vec<&str> = equipped.positions.iter().filter(|p| !p.skip).map(|p| p.meter.name.as_str()).collect();
    names.dedup();
    names.join(", ")
}

fn host() -> String {
    fs::read_to_string("/etc/hostname").map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}

fn json(summary: &Summary) -> serde_json::Value {
    serde_json::json!({
        "plan": summary.plan,
        "meter": summary.meter,
        "outcome": summary.outcome,
        "exit_code": summary.outcome.exit_code(),
        "counts": summary.counts,
        "bench_seconds": summary.bench_seconds,
        "wall_seconds": summary.wall_seconds,
        "directory": summary.directory,
        "record": summary.directory.join("record.json"),
        "report": crate::terminal::report_file(&summary.directory),
        "error": summary.failure.as_ref().map(|f| &f.text),
    })
}
