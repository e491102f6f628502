//! What leak reports share: records of lost blocks by check and process, and the choice of one.

use super::Context;
use crate::error::{Error, Result};
use crate::input::Select;
use crate::model::{
    Exactness, Label, LabelValue, LabelsId, Meta, Metric, Moment, Profile, ProfileBuilder, StackId,
    Symbols,
};

/// Blocks that a leak check reports for one stack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    pub kind: LabelsId,
    pub stack: StackId,
    pub bytes: u64,
    pub blocks: u64,
}

/// One leak check of one process. A program may run several, and several processes may write
/// into one file.
#[derive(Debug, Default)]
pub(crate) struct Check {
    pub pid: Option<u64>,
    pub records: Vec<Record>,
    /// Whether the report says that nothing more belongs to it.
    pub complete: bool,
    pub notes: Vec<String>,
}

/// The label set of a leak kind.
pub(crate) fn kind(symbols: &mut Symbols, name: &str) -> LabelsId {
    let label = Label {
        key: symbols.strings.intern("kind"),
        value: LabelValue::Text(symbols.strings.intern(name)),
    };
    symbols.labels.intern(&[label])
}

/// The profiles that are asked for: as a rule the last complete check of every process, added
/// up; `#N` is the Nth check of the file, from 1.
///
/// Errors: a moment that leak reports do not have.
pub(crate) fn choose(checks: &[Check], meta: &Meta, cx: &Context<'_>) -> Result<Vec<Profile>> {
    let nth = |i: usize| -> Result<Profile> {
        let mut meta = meta.clone();
        let chosen = checks.get(i);
        if let Some(check) = chosen {
            meta.pid = check.pid.or(meta.pid);
            meta.moment = Some(Moment {
                label: format!("leak check {} of {}", i + 1, checks.len()),
                seconds: None,
            });
        }
        profile(chosen, meta)
    };
    match cx.select {
        None => {
            let mut last: Vec<&Check> = Vec::new();
            for check in checks {
                match last.iter_mut().find(|c| c.pid == check.pid) {
                    // An incomplete check after a complete one would look like a cure.
                    Some(known) if check.complete || !known.complete => *known = check,
                    Some(_) => {}
                    None => last.push(check),
                }
            }
            let mut meta = meta.clone();
            match last.as_slice() {
                [one] => meta.pid = one.pid.or(meta.pid),
                [] => {}
                several => {
                    meta.pid = None;
                    meta.notes.push(format!(
                        "adds up the reports of {} processes",
                        several.len()
                    ));
                }
            }
            if checks.len() > last.len() {
                meta.notes.push(format!(
                    "holds {} leak checks; the last of each process is taken (#1 to #{} choose one)",
                    checks.len(),
                    checks.len()
                ));
            }
            Ok(vec![profile(last, meta)?])
        }
        Some(Select::Last) => Ok(vec![nth(checks.len().saturating_sub(1))?]),
        Some(Select::Number(n)) => match usize::try_from(n) {
            Ok(n) if (1..=checks.len()).contains(&n) => Ok(vec![nth(n - 1)?]),
            _ => Err(Error::usage(format!("no leak check {n}"))
                .help(format!("the file holds {}, counted from 1", checks.len()))),
        },
        Some(Select::Ends) if checks.len() > 1 => Ok(vec![nth(0)?, nth(checks.len() - 1)?]),
        Some(Select::Ends) => Err(super::alone()),
        Some(_) => Err(Error::usage(
            "a leak report has no such moment, only leak checks by number",
        )
        .help(format!("the file holds {}, counted from 1", checks.len()))),
    }
}

fn profile<'c>(checks: impl IntoIterator<Item = &'c Check>, mut meta: Meta) -> Result<Profile> {
    let metrics = ["live_bytes", "live_blocks"].map(Metric::known).to_vec();
    let mut builder = ProfileBuilder::new(metrics);
    for check in checks {
        meta.notes.extend(check.notes.iter().cloned());
        for record in &check.records {
            let wide = |n: u64| {
                i64::try_from(n).map_err(|_| {
                    Error::new(crate::error::Code::Damaged, "a leak of over 2^63 bytes")
                        .help("the file is damaged: capture it again")
                })
            };
            let row = [wide(record.bytes)?, wide(record.blocks)?];
            builder.add_labelled(record.stack, record.kind, &row)?;
        }
    }
    meta.exactness = Exactness::Exact;
    Ok(builder.finish(meta))
}
