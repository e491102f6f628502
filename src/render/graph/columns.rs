//! Cells in columns.

/// Lines of cells, the first line the head: numbers stand to the right, the columns in `left` to
/// the left, those in `without` are left out, and the last column ends where it ends.
pub(super) fn aligned<const N: usize>(
    rows: &[[String; N]],
    left: &[usize],
    without: &[usize],
) -> String {
    let width = |i: usize| rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N.saturating_sub(1)).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (i, w) in widths
            .iter()
            .enumerate()
            .filter(|(i, _)| !without.contains(i))
        {
            let pad = w - row[i].chars().count();
            match left.contains(&i) {
                true => line.push_str(&format!("{}{:pad$}  ", row[i], "")),
                false => line.push_str(&format!("{:pad$}{}  ", "", row[i])),
            }
        }
        line.extend(row.last().map(String::as_str));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
