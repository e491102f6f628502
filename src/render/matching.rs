//! The ledger of matching in words.

use crate::diff::{Ledger, MatchedBy};

/// One line for the end of a text: `matched 80 % of bytes by symbol, 15 % inline; 5 % only after`.
pub fn matched(ledger: &Ledger) -> String {
    let (before, after) = ledger.total();
    let share = |b: i128, a: i128| -> f64 {
        // Of both sides together, so that the parts add up.
        let all = before.unsigned_abs() + after.unsigned_abs();
        if all == 0 {
            return 0.0;
        }
        (b.unsigned_abs() + a.unsigned_abs()) as f64 / all as f64
    };
    let tier = |by: MatchedBy| {
        let part = ledger.tier(by);
        (share(part.before, part.after), part.sites)
    };
    let found: Vec<String> = MatchedBy::TIERS
        .into_iter()
        .map(|by| (by, tier(by)))
        .filter(|(_, (_, sites))| *sites > 0)
        .map(|(by, (share, _))| format!("{} {}", percent(share), word(by)))
        .collect();
    let ambiguous = &ledger.ambiguous;
    let rest = [
        (
            share(ambiguous.before, ambiguous.after),
            ambiguous.sites,
            "as sums of sites that cannot be told apart",
        ),
        (
            tier(MatchedBy::OnlyBefore).0,
            tier(MatchedBy::OnlyBefore).1,
            "only before",
        ),
        (
            tier(MatchedBy::OnlyAfter).0,
            tier(MatchedBy::OnlyAfter).1,
            "only after",
        ),
    ];
    let rest: Vec<String> = rest
        .into_iter()
        .filter(|(_, sites, _)| *sites > 0)
        .map(|(share, _, word)| format!("{} {word}", percent(share)))
        .collect();
    let mut text = match found.split_first() {
        Some((first, others)) => {
            let first = first.replacen(" %", " % of bytes", 1);
            let mut parts = vec![format!("matched {first}")];
            parts.extend(others.iter().cloned());
            parts.join(", ")
        }
        None => "matched nothing".into(),
    };
    if !rest.is_empty() {
        text.push_str("; ");
        text.push_str(&rest.join(", "));
    }
    text
}

fn word(by: MatchedBy) -> &'static str {
    match by {
        MatchedBy::Exact => "by stack",
        MatchedBy::Line => "by stack but for lines",
        MatchedBy::Symbol => "by symbol",
        MatchedBy::Path => "by path",
        MatchedBy::Inline => "inline",
        MatchedBy::Source => "by source",
        _ => "moved",
    }
}

/// Whole numbers, but nothing that is there is 0 % and nothing that is not all is 100 %.
fn percent(share: f64) -> String {
    let whole = (share * 100.0).round();
    match share {
        s if s > 0.0 && s < 0.005 => "under 1 %".into(),
        s if s < 1.0 && whole >= 100.0 => "over 99 %".into(),
        _ => format!("{whole} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Share;

    #[test]
    fn parts_add_up_and_small_ones_are_not_nothing() {
        let share = |sites, before, after| Share {
            sites,
            before,
            after,
        };
        let ledger = Ledger {
            tiers: vec![
                (MatchedBy::Exact, share(1, 800, 800)),
                (MatchedBy::Inline, share(1, 199, 150)),
                (MatchedBy::OnlyBefore, share(1, 1, 0)),
                (MatchedBy::OnlyAfter, share(1, 0, 50)),
            ],
            ..Ledger::default()
        };
        assert_eq!(
            matched(&ledger),
            "matched 80 % of bytes by stack, 17 % inline; under 1 % only before, 3 % only after"
        );
        assert_eq!(matched(&Ledger::default()), "matched nothing");
    }
}
