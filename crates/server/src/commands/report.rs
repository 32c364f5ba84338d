//! `chancery check --report`: the running configuration and its clients, graded against the standards.

use std::fmt::Write as _;

use chancery_core::report::{Breach, Grade, Graded, Level, Report, Standard};

use super::{Output, client, lines};
use crate::arguments::{ALL_STANDARDS, Configured, ReportFormat};
use crate::parts::open_existing;
use crate::settings::{Store, load};
use crate::terminal::Escaped;

/// Grades the configuration and whatever clients are stored, against the standard of this name or against all.
pub(crate) async fn report(configured: &Configured, standard: &str, format: ReportFormat) -> Output {
    let settings = load(configured).map_err(|complaints| lines(&complaints))?;
    let clients = match &settings.store {
        Store::Memory => Vec::new(),
        Store::Sqlite { .. } => {
            let opened = open_existing(&settings)?;
            client::all(&settings, &opened).await.map_err(|fault| format!("clients: {fault}"))?
        }
    };
    let graded = Graded {
        config: &settings.engine,
        issuer: &settings.issuer,
        resource_servers: &settings.resource_servers,
        clients: &clients,
    };
    let is_asked = |known: &Standard| standard == ALL_STANDARDS || known.as_str() == standard;
    let reports: Vec<Report> =
        Standard::ALL.into_iter().filter(is_asked).map(|known| Report::of(known, &graded)).collect();
    match format {
        ReportFormat::Text => Ok(text(&reports, clients.len())),
        ReportFormat::Json => {
            serde_json::to_string_pretty(&reports).map(|json| json + "\n").map_err(|error| error.to_string())
        }
    }
}

/// What an operator reads: first how each standard fares, then what is missing of each.
fn text(reports: &[Report], clients: usize) -> String {
    let mut said = format!("clients: {clients}\n\n");
    let width = reports.iter().map(|report| report.title.len()).max().unwrap_or(0);
    for report in reports {
        let _ = writeln!(said, "{:width$}  {}", report.title, summary(report));
    }
    for report in reports {
        let _ = write!(said, "\n{}\n", report.title);
        for grade in &report.grades {
            write_grade(&mut said, grade);
        }
    }
    said
}

fn summary(report: &Report) -> String {
    let of = |level, what| match report.count(level) {
        (_, 0) => None,
        (met, all) => Some(format!("{met} of {all} {what}")),
    };
    let parts =
        [of(Level::Required, "demands are met"), of(Level::Recommended, "recommendations are followed")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn write_grade(said: &mut String, grade: &Grade) {
    let verdict = match (grade.is_met, grade.level) {
        (true, _) => "met",
        (false, Level::Required) => "NOT MET",
        (false, _) => "advised",
    };
    let _ = writeln!(said, "  {verdict:7}  {} ({})", grade.demand, grade.section);
    // Clients that lack the same stand in one line.
    let mut findings: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for Breach { client, setting, remedy } in &grade.breaches {
        match findings.iter_mut().find(|(of, what, _)| *of == setting && *what == remedy) {
            Some((_, _, clients)) => clients.extend(client.as_deref()),
            None => findings.push((setting, remedy, client.as_deref().into_iter().collect())),
        }
    }
    for (setting, remedy, clients) in findings {
        let whose = match clients.as_slice() {
            [] => String::new(),
            [only] => format!("client {only}: "),
            several => format!("clients {}: ", several.join(", ")),
        };
        let _ = writeln!(said, "           {}", Escaped(&format!("{whose}{setting}: {remedy}")));
    }
}
