//! Columns of numbers, as narrow as the numbers allow.

use std::sync::Arc;

/// A column of numbers that takes two bytes a value until one needs four, and four until one
/// needs eight. Counts of blocks mostly fit into two, bytes into four.
///
/// A shared column is cloned by reference; whoever changes it gets a copy of its own.
#[derive(Debug, Clone)]
pub struct Column(Width);

#[derive(Debug, Clone)]
enum Width {
    Short(Vec<u16>),
    Narrow(Vec<u32>),
    Wide(Vec<i64>),
    Shared(Arc<Column>),
}

/// The same expression over the values, whatever their width.
macro_rules! each_width {
    ($column:expr, $values:ident => $body:expr) => {
        match &$column.plain().0 {
            Width::Short($values) => $body,
            Width::Narrow($values) => $body,
            Width::Wide($values) => $body,
            Width::Shared(_) => Default::default(),
        }
    };
}

impl Default for Column {
    fn default() -> Self {
        Column(Width::Short(Vec::new()))
    }
}

impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && (0..self.len()).all(|i| self.get(i) == other.get(i))
    }
}

impl Eq for Column {}

impl Column {
    /// A column of `len` zeros, which take no memory before they are changed.
    pub fn zeros(len: usize) -> Self {
        Column(Width::Short(vec![0; len]))
    }

    /// The column behind a shared one, which is never shared itself.
    #[inline]
    fn plain(&self) -> &Column {
        match &self.0 {
            Width::Shared(column) => column,
            _ => self,
        }
    }

    /// The value in row `i`.
    #[inline]
    #[allow(clippy::unnecessary_cast)] // one of the widths is the result's own
    pub fn get(&self, i: usize) -> i64 {
        each_width!(self, values => values[i] as i64)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        each_width!(self, values => values.len())
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a row.
    #[inline]
    pub fn push(&mut self, value: i64) {
        match (&mut self.0, u32::try_from(value)) {
            (Width::Short(values), Ok(small)) if small <= u16::MAX as u32 => {
                values.push(small as u16)
            }
            (Width::Narrow(values), Ok(small)) => values.push(small),
            (Width::Wide(values), _) => values.push(value),
            _ => {
                self.fit(value);
                self.push(value);
            }
        }
    }

    /// Replaces the value in row `i`.
    #[inline]
    pub fn set(&mut self, i: usize, value: i64) {
        match (&mut self.0, u32::try_from(value)) {
            (Width::Short(values), Ok(small)) if small <= u16::MAX as u32 => {
                values[i] = small as u16
            }
            (Width::Narrow(values), Ok(small)) => values[i] = small,
            (Width::Wide(values), _) => values[i] = value,
            _ => {
                self.fit(value);
                self.set(i, value);
            }
        }
    }

    /// Grows to `len` rows with zeros.
    pub fn extend_to(&mut self, len: usize) {
        if self.is_empty() {
            *self = Column::zeros(len);
        } else if self.len() < len {
            self.unshare();
            match &mut self.0 {
                Width::Short(values) => values.resize(len, 0),
                Width::Narrow(values) => values.resize(len, 0),
                Width::Wide(values) => values.resize(len, 0),
                Width::Shared(_) => {}
            }
        }
    }

    /// The sum of all rows; cannot overflow.
    pub fn sum(&self) -> i128 {
        // A hundred thousand values of 32 bits fit into 64 by far.
        const STEP: usize = 1 << 16;
        let narrow = |part: u64| part as i128;
        match &self.plain().0 {
            Width::Short(values) => values
                .chunks(STEP)
                .map(|c| narrow(c.iter().map(|&v| v as u64).sum()))
                .sum(),
            Width::Narrow(values) => values
                .chunks(STEP)
                .map(|c| narrow(c.iter().map(|&v| v as u64).sum()))
                .sum(),
            Width::Wide(values) => values.iter().map(|&v| v as i128).sum(),
            Width::Shared(_) => 0,
        }
    }

    /// Makes the clones of this column, from now on, refer to it instead of copying it.
    pub fn share(&mut self) {
        if !matches!(self.0, Width::Shared(_)) {
            let plain = std::mem::take(self);
            self.0 = Width::Shared(Arc::new(plain));
        }
    }

    /// Whether both are one column that is shared.
    pub fn is_same(&self, other: &Column) -> bool {
        match (&self.0, &other.0) {
            (Width::Shared(a), Width::Shared(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    fn unshare(&mut self) {
        if let Width::Shared(column) = &mut self.0 {
            let own = std::mem::take(column);
            *self = Arc::try_unwrap(own).unwrap_or_else(|shared| (*shared).clone());
        }
    }

    /// Makes room for `value`.
    fn fit(&mut self, value: i64) {
        self.unshare();
        let wide = u32::try_from(value).is_err();
        self.0 = match std::mem::take(self).0 {
            Width::Short(values) if wide => Width::Wide(widened(&values)),
            Width::Short(values) if value > u16::MAX as i64 => Width::Narrow(widened(&values)),
            Width::Narrow(values) if wide => Width::Wide(widened(&values)),
            fits => fits,
        };
    }
}

fn widened<A: Copy, B: From<A>>(values: &Vec<A>) -> Vec<B> {
    let mut wide = Vec::with_capacity(values.capacity());
    wide.extend(values.iter().map(|&v| B::from(v)));
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_every_width() {
        let values = [
            0,
            1,
            65_535,
            65_536,
            u32::MAX as i64,
            -1,
            i64::MIN,
            i64::MAX,
            7,
        ];
        for order in [values.to_vec(), values.iter().rev().copied().collect()] {
            let mut pushed = Column::default();
            let mut set = Column::zeros(order.len());
            for (i, &v) in order.iter().enumerate() {
                pushed.push(v);
                set.set(i, v);
            }
            assert_eq!(
                (0..pushed.len()).map(|i| pushed.get(i)).collect::<Vec<_>>(),
                order
            );
            assert_eq!(pushed, set);
            assert_eq!(pushed.sum(), order.iter().map(|&v| v as i128).sum::<i128>());
        }
    }

    #[test]
    fn a_shared_column_is_copied_when_it_changes() {
        let mut a = Column::default();
        (0..10).for_each(|i| a.push(i));
        a.share();
        let mut b = a.clone();
        assert!(a.is_same(&b));
        b.set(3, 99);
        assert_eq!((a.get(3), b.get(3), b.get(4)), (3, 99, 4));
        let mut c = a.clone();
        c.extend_to(12);
        c.push(1 << 40);
        assert_eq!(
            (a.len(), c.len(), c.get(11), c.get(12)),
            (10, 13, 0, 1 << 40)
        );
        assert_eq!(a.sum(), 45);
    }
}
