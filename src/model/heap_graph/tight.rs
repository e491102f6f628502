//! Columns that keep close to what is in them.

/// Appends to a column that may become as long as a graph is large. It grows by an eighth at a
/// time, where a `Vec` doubles: what stands ready and empty is memory too. Blocks as large as
/// matter here grow without being copied.
#[inline]
pub fn push<T>(column: &mut Vec<T>, value: T) {
    if column.len() == column.capacity() {
        grow(column);
    }
    column.push(value);
}

#[cold]
fn grow<T>(column: &mut Vec<T>) {
    column.reserve_exact(column.len() / 8 + 1024);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_stands_empty() {
        let mut column = Vec::new();
        for i in 0..100_000u32 {
            push(&mut column, i);
            assert!(column.capacity() <= column.len() / 8 * 9 + 2048);
        }
        assert_eq!(column.iter().position(|&v| v == 99_999), Some(99_999));
    }
}
