//! How many bytes an object takes: the file does not say, the distances of neighbours do.
//!
//! Two properties of the virtual machine decide, the width of a reference and that of the head of
//! an object; each layout that a machine can have is held against the distance from an object to
//! the next one, which is its size wherever the two are neighbours, and the layout that explains
//! most of them is taken. HotSpot's own layouts: `oopDesc`, `arrayOopDesc`, JEP 450.

use super::index::Index;

/// How objects lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Bytes of a reference.
    pub(super) reference: u64,
    /// Bytes before the fields of an instance.
    pub(super) header: u64,
    /// Bytes before the elements of an array.
    pub(super) array: u64,
    /// Objects begin at multiples of this.
    pub(super) align: u64,
}

/// Objects of known content and unknown size.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// Address; number of references and bytes of other fields.
    pub(super) instances: Vec<(u64, u64, u64)>,
    /// Address and length of arrays of references.
    pub(super) arrays: Vec<(u64, u64)>,
    /// Address and bytes of arrays of numbers.
    pub(super) numbers: Vec<(u64, u64)>,
}

/// As many samples of a kind are looked at.
pub(super) const SAMPLES: usize = 1 << 16;

impl Layout {
    /// Bytes of an instance with so many references and bytes of other fields.
    pub(super) fn instance(&self, references: u64, bytes: u64) -> u64 {
        self.aligned(
            self.header
                .saturating_add(references.saturating_mul(self.reference))
                .saturating_add(bytes),
        )
    }

    /// Bytes of an array of references.
    pub(super) fn references(&self, length: u64) -> u64 {
        self.aligned(self.array + length * self.reference)
    }

    /// Bytes of an array whose elements take so many.
    pub(super) fn numbers(&self, bytes: u64) -> u64 {
        self.aligned(self.array + bytes)
    }

    fn aligned(&self, bytes: u64) -> u64 {
        bytes.div_ceil(self.align).saturating_mul(self.align)
    }

    /// The usual layout of a machine.
    pub(super) fn usual(id_size: usize) -> Layout {
        if id_size == 4 {
            Layout {
                reference: 4,
                header: 8,
                array: 12,
                align: 8,
            }
        } else {
            Layout {
                reference: 4,
                header: 12,
                array: 16,
                align: 8,
            }
        }
    }

    /// The layout that explains most distances; among equals the usual one of the machine.
    pub(super) fn infer(id_size: usize, samples: &Samples, index: &Index) -> Layout {
        let gaps = |ids: &mut dyn Iterator<Item = u64>| -> Vec<u64> {
            ids.map(|id| index.gap(id).unwrap_or(0)).collect()
        };
        let instances = gaps(&mut samples.instances.iter().map(|s| s.0));
        let arrays = gaps(&mut samples.arrays.iter().map(|s| s.0));
        let numbers = gaps(&mut samples.numbers.iter().map(|s| s.0));
        Layout::explain(id_size, samples, &instances, &arrays, &numbers)
    }

    /// The same from distances that are known: one for each sample.
    pub(super) fn explain(
        id_size: usize,
        samples: &Samples,
        instances: &[u64],
        arrays: &[u64],
        numbers: &[u64],
    ) -> Layout {
        let usual = Layout::usual(id_size);
        let widths: &[u64] = if id_size == 4 { &[4] } else { &[4, 8] };
        let mut best = (0usize, usual);
        for &reference in widths {
            for header in [8, 12, 16] {
                for array in [12, 16, 20, 24] {
                    let layout = Layout {
                        reference,
                        header,
                        array,
                        align: 8,
                    };
                    let held = |sizes: &mut dyn Iterator<Item = u64>, gaps: &[u64]| {
                        sizes.zip(gaps).filter(|(s, g)| s == *g).count()
                    };
                    let of = |s: &(u64, u64, u64)| layout.instance(s.1, s.2);
                    let explained = held(&mut samples.instances.iter().map(of), instances)
                        + held(
                            &mut samples.arrays.iter().map(|a| layout.references(a.1)),
                            arrays,
                        )
                        + held(
                            &mut samples.numbers.iter().map(|a| layout.numbers(a.1)),
                            numbers,
                        );
                    if explained > best.0 || (explained == best.0 && layout == usual) {
                        best = (explained, layout);
                    }
                }
            }
        }
        best.1
    }
}
