//! `junit.xml`: a suite per position, a case per measurement.
//!
//! What decides and is no pass is a failure (an inconclusive result says so); what does not decide is skipped with its
//! reason; a broken bench is an error.

use meterbench_record::{Measurement, Outcome, Record, Verdict};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::report::ReportError;
use crate::words;

pub fn render(record: &Record) -> Result<String, ReportError> {
    let mut report = Report::new(record.subject.plan.clone());
    for position in record.subject.tested() {
        let mut suite =
            TestSuite::new(format!("position {}, {} {}", position.id, position.meter.name, position.serial));
        for measurement in record.measurements.iter().filter(|m| m.position == position.id) {
            let mut case = TestCase::new(measurement.id.clone(), status(measurement));
            case.set_classname(measurement.quantity.clone());
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    if !matches!(record.outcome, Some(Outcome::Pass | Outcome::Fail | Outcome::Undecided)) {
        let mut suite = TestSuite::new("bench");
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        let told = if record.notes.is_empty() { "the run did not end".to_owned() } else { record.notes.join("; ") };
        status.set_message(told);
        suite.add_test_case(TestCase::new("the bench works", status));
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|error| ReportError::Junit(error.to_string()))
}

fn status(m: &Measurement) -> TestCaseStatus {
    let text = match (&m.limit, words::expected(m)) {
        (None, "") => format!("{} {}, no limit", words::point(m), words::value(m)),
        (None, expected) => format!("{}: {}, expected {expected}", words::point(m), words::value(m)),
        (Some(limit), _) => {
            let limit = words::limit(limit, &m.unit);
            format!("{} {} (U {}), limit {limit}", words::point(m), words::value(m), words::uncertainty(m))
        }
    };
    let skipped = |why: &str| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("{why}: {text}"));
        status
    };
    match &m.verdict {
        None => skipped("nothing limits this"),
        Some(Verdict::NotObservable) => {
            let why = m.note.as_ref().map(|note| format!(", {note}")).unwrap_or_default();
            skipped(&format!("not applicable{why}"))
        }
        Some(verdict) if !m.decides => skipped(&format!("advisory, {}", verdict.word())),
        Some(Verdict::Pass) => TestCaseStatus::success(),
        Some(Verdict::Fail) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let note = m.note.as_ref().map(|n| format!("; {n}")).unwrap_or_default();
            status.set_message(format!("{text} {}{note}", words::outside(m)));
            status
        }
        Some(verdict) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!("{}: {text}", verdict.word()));
            status
        }
    }
}
