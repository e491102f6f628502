//! Weighted least squares with hundreds of columns that are mostly zero, by normal equations.

/// A pivot below this share of its column is a column that the others explain.
const PIVOT: f64 = 1e-9;

/// A column: places and values, by place.
pub(super) type Sparse = Vec<(u32, f64)>;

/// The normal equations, factored.
pub(super) struct Normal {
    /// Lower triangle of the factor, row by row; zero rows where a column was left out.
    factor: Vec<Vec<f64>>,
    /// Columns that the ones before them explain.
    pub left_out: Vec<bool>,
}

impl Normal {
    /// Factors `X' W X` (Cholesky); `p^2` products of columns and `p^3 / 6` steps.
    pub fn new(columns: &[Sparse], w: &[f64]) -> Normal {
        let p = columns.len();
        let mut factor: Vec<Vec<f64>> = Vec::with_capacity(p);
        let mut left_out = vec![false; p];
        // Against a dense copy each product costs only the places of the other column.
        let mut dense = vec![0.0; w.len()];
        for i in 0..p {
            for &(at, v) in &columns[i] {
                dense[at as usize] = v * w[at as usize];
            }
            let mut row = Vec::with_capacity(i + 1);
            for (j, other) in columns[..=i].iter().enumerate() {
                let mut sum: f64 = other.iter().map(|&(at, v)| v * dense[at as usize]).sum();
                if j < i {
                    if left_out[j] {
                        row.push(0.0);
                        continue;
                    }
                    let before: &Vec<f64> = &factor[j];
                    for k in 0..j {
                        sum -= row[k] * before[k];
                    }
                    row.push(sum / before[j]);
                } else {
                    let all = sum;
                    for v in &row {
                        sum -= v * v;
                    }
                    left_out[i] = !(sum > PIVOT * all) || sum <= 0.0;
                    row.push(if left_out[i] { 1.0 } else { sum.sqrt() });
                    if left_out[i] {
                        row[..i].fill(0.0);
                    }
                }
            }
            for &(at, _) in &columns[i] {
                dense[at as usize] = 0.0;
            }
            factor.push(row);
        }
        Normal { factor, left_out }
    }

    /// Solves for a right side; columns that were left out have 0.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let p = self.factor.len();
        let mut z = right.to_vec();
        for i in 0..p {
            if self.left_out[i] {
                z[i] = 0.0;
                continue;
            }
            let mut sum = z[i];
            for k in 0..i {
                sum -= self.factor[i][k] * z[k];
            }
            z[i] = sum / self.factor[i][i];
        }
        for i in (0..p).rev() {
            if self.left_out[i] {
                z[i] = 0.0;
                continue;
            }
            z[i] /= self.factor[i][i];
            let zi = z[i];
            for k in 0..i {
                z[k] -= self.factor[i][k] * zi;
            }
        }
        z
    }
}

/// `X' W y`.
pub(super) fn right_side(columns: &[Sparse], y: &[f64], w: &[f64]) -> Vec<f64> {
    let of = |c: &Sparse| {
        c.iter()
            .map(|&(at, v)| v * y[at as usize] * w[at as usize])
            .sum()
    };
    columns.iter().map(of).collect()
}

/// `X b`.
pub(super) fn product(columns: &[Sparse], b: &[f64], n: usize) -> Vec<f64> {
    let mut out = vec![0.0; n];
    for (c, &v) in columns.iter().zip(b) {
        if v != 0.0 {
            for &(at, x) in c {
                out[at as usize] += x * v;
            }
        }
    }
    out
}

/// The correlation of two columns without their means.
pub(super) fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        aa += (x - ma) * (x - ma);
        bb += (y - mb) * (y - mb);
        ab += (x - ma) * (y - mb);
    }
    if aa > 0.0 && bb > 0.0 {
        ab / (aa * bb).sqrt()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_is_found_and_a_twin_left_out() {
        let a: Sparse = (0..50).map(|i| (i, 1.0)).collect();
        let b: Sparse = (0..50).map(|i| (i, f64::from(i))).collect();
        let c: Sparse = (0..50).filter(|i| i % 7 == 0).map(|i| (i, 1.0)).collect();
        let w = vec![1.0; 50];
        let columns = [a.clone(), b.clone(), c.clone(), b.clone()];
        let y = product(&columns, &[2.0, 3.0, -4.0, 0.0], 50);
        let n = Normal::new(&columns, &w);
        assert_eq!(n.left_out, [false, false, false, true]);
        let x = n.solve(&right_side(&columns, &y, &w));
        for (got, want) in x.iter().zip([2.0, 3.0, -4.0, 0.0]) {
            assert!((got - want).abs() < 1e-9, "{x:?}");
        }
    }
}
