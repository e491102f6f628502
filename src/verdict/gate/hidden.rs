//! Suppressions at work: which hold, what they hide, what to do about them.

use super::{Gate, Hidden, Measured, Warning};
use crate::verdict::findings::SubjectKind;
use crate::verdict::gate_rows::Rows;
use crate::verdict::monitored::{Requested, Watched};
use crate::verdict::suppression::{Standing, Suppression, Target};

impl Gate {
    /// Which suppressions hold on a day; warns of those that end.
    pub(super) fn standing(&mut self, today: jiff::civil::Date) -> Vec<bool> {
        let mut active = Vec::new();
        for (i, s) in self.suppressions.iter().enumerate() {
            let standing = s.standing(today);
            active.push(standing != Standing::Expired);
            let until = s.expires.map_or(String::new(), |d| d.to_string());
            let text = match standing {
                Standing::Holds => continue,
                Standing::Ends(0) => format!("suppression {:?} ends today ({until})", s.reason),
                Standing::Ends(1) => format!("suppression {:?} ends tomorrow ({until})", s.reason),
                Standing::Ends(days) => {
                    format!("suppression {:?} ends in {days} days ({until})", s.reason)
                }
                Standing::Expired => format!(
                    "suppression {:?} expired on {until}: what it hid counts again",
                    s.reason
                ),
            };
            self.warnings.push(Warning {
                text: format!("{text}, {}", s.place),
                suppression: Some(i),
            });
        }
        active
    }

    /// Takes note of what suppressions hide; what is beyond its maximum is not hidden. `report`:
    /// the comparison is the one that is shown.
    pub(super) fn hide(
        &mut self,
        rows: &Rows<'_>,
        mut cover: Vec<Option<usize>>,
        report: bool,
    ) -> Vec<Option<usize>> {
        let mut of: Vec<Vec<u32>> = vec![Vec::new(); self.suppressions.len()];
        for (row, s) in cover.iter().enumerate() {
            if let Some(s) = s {
                of[*s].push(row as u32);
            }
        }
        for (s, list) in of.into_iter().enumerate() {
            let bytes: i128 = list.iter().map(|&r| rows.delta(r).max(0)).sum();
            if let Some(warning) = self.beyond(s, bytes) {
                if report {
                    self.warnings.push(warning);
                }
                for row in list {
                    cover[row as usize] = None;
                }
                continue;
            }
            if !report || list.is_empty() {
                continue;
            }
            let findings: Vec<String> = rows
                .findings
                .iter()
                .filter(|f| !f.rows.is_empty())
                .filter(|f| f.rows.iter().all(|&r| cover[r as usize] == Some(s)))
                .map(|f| rows.finding_name(f))
                .collect();
            if bytes > 0 || !findings.is_empty() {
                self.hidden.push(Hidden {
                    suppression: s,
                    rows: list,
                    subjects: Vec::new(),
                    findings,
                    bytes,
                });
            }
        }
        cover
    }

    pub(super) fn warn_of_unused(&mut self, active: &[bool], measured: &Measured<'_>) {
        for (i, s) in self.suppressions.iter().enumerate() {
            // Files of other tools are shared by programs that never meet.
            let foreign = s.expires.is_none();
            let said = self.warnings.iter().any(|w| w.suppression == Some(i));
            let used = self.hidden.iter().any(|h| h.suppression == i);
            if active[i] && !foreign && !used && !said && s.could_apply(measured) {
                self.warnings.push(Warning {
                    text: format!(
                        "suppression {:?} hides nothing: remove it, {}",
                        s.reason, s.place
                    ),
                    suppression: Some(i),
                });
            }
        }
        let changed = measured.captures.first().map(|rows| {
            let groups = self.suppressions.iter().enumerate();
            groups
                .filter_map(|(i, s)| Some((i, rows.group_changed(&s.target)?)))
                .collect::<Vec<_>>()
        });
        for (i, (before, now)) in changed.unwrap_or_default() {
            let s = &self.suppressions[i];
            self.warnings.push(Warning {
                text: format!(
                    "suppression {:?} names one of {before} sites that look alike, and there are \
                     {now} now: look again which one it means, {}",
                    s.reason, s.place
                ),
                suppression: Some(i),
            });
        }
    }

    /// The warning that more came than a suppression allows.
    fn beyond(&self, s: usize, bytes: i128) -> Option<Warning> {
        let suppression = &self.suppressions[s];
        let max = suppression.max.filter(|max| bytes > i128::from(*max))?;
        Some(Warning {
            text: format!(
                "suppression {:?} allows {} and {} came: it hides nothing, {}",
                suppression.reason,
                crate::units::bytes(max.into()),
                crate::units::bytes(bytes),
                suppression.place
            ),
            suppression: Some(s),
        })
    }

    /// Takes cycles, holders, series and endpoints that are accepted out of what was measured, and
    /// notes them.
    pub(super) fn hide_subjects(&mut self, measured: &mut Measured<'_>, active: &[bool]) {
        for (i, _) in active.iter().enumerate().filter(|(_, active)| **active) {
            let s = self.suppressions[i].clone();
            let Target::Subject(glob) = &s.target else {
                continue;
            };
            let accepts = |kind: SubjectKind, id: &str, name: &str| {
                let rules = rules_of(kind);
                let rule = s.rule.is_none_or(|r| rules.contains(&r.id));
                rule && (glob.matches(id) || glob.matches(name))
            };
            let mut graph = measured.graph.clone();
            let mut taken = graph.as_mut().map_or(Vec::new(), |g| g.without(accepts));
            let of_series = |w: &Watched| {
                accepts(SubjectKind::Series, &w.id, &w.title)
                    || w.primary && accepts(SubjectKind::Series, &w.id, &w.service)
            };
            let of_endpoint =
                |r: &Requested| accepts(SubjectKind::Endpoint, &r.endpoint, &r.endpoint);
            if let Some(monitored) = &measured.monitored {
                for w in monitored
                    .series
                    .iter()
                    .filter(|w| of_series(w) && !w.accepted)
                {
                    if !taken.iter().any(|t| t.2 == w.id) {
                        taken.push((SubjectKind::Series, w.rule, w.id.clone(), w.gained));
                    }
                }
                for r in monitored
                    .requests
                    .iter()
                    .filter(|r| of_endpoint(r) && !r.accepted)
                {
                    let name = r.endpoint.clone();
                    taken.push((SubjectKind::Endpoint, "HD090", name, 0.0));
                }
            }
            if taken.is_empty() {
                continue;
            }
            let bytes = taken.iter().map(|t| t.3.round() as i128).sum();
            if let Some(warning) = self.beyond(i, bytes) {
                self.warnings.push(warning);
                continue;
            }
            measured.graph = graph;
            if let Some(monitored) = &mut measured.monitored {
                let series = monitored.series.iter_mut();
                series
                    .filter(|w| of_series(w))
                    .for_each(|w| w.accepted = true);
                let requests = monitored.requests.iter_mut();
                requests
                    .filter(|r| of_endpoint(r))
                    .for_each(|r| r.accepted = true);
            }
            self.hidden.push(Hidden {
                suppression: i,
                rows: Vec::new(),
                findings: taken.iter().map(|t| format!("{}:{}", t.1, t.2)).collect(),
                subjects: taken.into_iter().map(|t| t.2).collect(),
                bytes,
            });
        }
    }
}

/// The rules that findings about a kind of subject follow, with that of budgets.
fn rules_of(kind: SubjectKind) -> &'static [&'static str] {
    match kind {
        SubjectKind::Cycle => &["HD040", "HD044", "HD045", "HD090"],
        SubjectKind::Holder => &["HD041", "HD090"],
        SubjectKind::Type => &["HD043", "HD090"],
        SubjectKind::Series => &["HD060", "HD061", "HD062", "HD065", "HD067", "HD090"],
        SubjectKind::Endpoint => &["HD066", "HD090"],
        _ => &["HD090"],
    }
}

impl Suppression {
    /// Whether what it is about was measured at all: if not, it is not unused.
    fn could_apply(&self, measured: &Measured<'_>) -> bool {
        let Target::Subject(_) = &self.target else {
            return !measured.captures.is_empty();
        };
        let (graph, monitored) = (measured.graph.is_some(), measured.monitored.is_some());
        let about = |kind| {
            let rules = rules_of(kind);
            self.rule.is_none_or(|r| rules.contains(&r.id))
        };
        let graphs = [SubjectKind::Cycle, SubjectKind::Holder, SubjectKind::Type];
        let graphs = graphs.into_iter().any(about);
        let series = about(SubjectKind::Series) || about(SubjectKind::Endpoint);
        (graph || !graphs) && (monitored || !series) && (graph || monitored)
    }
}
