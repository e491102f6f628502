//! Numbers and bytes of each class in one pass, in memory that does not grow with the dump.
//!
//! How large an object is shows only at the end, when the layout of the machine has been told from
//! the distances between objects. So bytes are added up for every layout that there may be, and
//! the sums of one of them are used. Distances are those to the next object in the file, which
//! stands behind it in memory for most.

use super::classes::{Classes, Texts, java_name};
use super::loaders;
use super::sizes::{Layout, SAMPLES, Samples};
use super::walk::{self, ClassDump, Head, Pass, width_of};
use crate::error::Result;
use crate::input::Source;
use crate::model::{GraphBuilder, HeapGraph, Role, Symbols, TypeId, TypeTally};
use rustc_hash::{FxHashMap, FxHashSet};

/// Layouts that a machine can have: by width of a reference and bytes before the fields of an
/// instance or the elements of an array.
const LAYOUTS: usize = 8;

/// Objects of one class.
#[derive(Debug, Clone, Default)]
struct Count {
    objects: u64,
    /// Those in a heap that counts.
    sized: u64,
    is_array: bool,
    /// Bytes by layout: of arrays, or of instances whose class was not described before them.
    bytes: [u64; LAYOUTS],
    /// Instances whose distance to the next object was looked at, and the least.
    nearest: (u32, u64),
}

/// What an object is, until its record is complete.
#[derive(Debug, Clone, Copy)]
enum Open {
    Instance { class: u32, bytes: u64 },
    Array { class: u32, length: u64 },
    Numbers { of: u8, bytes: u64 },
}

/// The pass.
#[derive(Debug)]
pub(super) struct Tally {
    id_size: usize,
    texts: Texts,
    names: FxHashMap<u64, u64>,
    classes: Classes,
    counts: Vec<Count>,
    numbers: [Count; 12],
    /// Descriptions of classes: class, whether it stands in a heap that counts.
    described: Vec<(u32, bool)>,
    /// Loaders of the classes described so far, and the class of those that came.
    loaders: FxHashSet<u64>,
    class_of_loader: FxHashMap<u64, u32>,
    open: Option<(u64, Open)>,
    last: Option<(u64, Open)>,
    samples: Samples,
    gaps: [Vec<u64>; 3],
    /// Class of each sample of an instance.
    sampled: Vec<u32>,
    counted: bool,
    objects: u64,
    layouts: [Layout; LAYOUTS],
}

/// The candidates, in the order of [`Count::bytes`].
fn layouts() -> [Layout; LAYOUTS] {
    let mut all = [Layout::usual(8); LAYOUTS];
    for (i, layout) in all.iter_mut().enumerate() {
        layout.reference = if i < LAYOUTS / 2 { 4 } else { 8 };
        layout.array = [12, 16, 20, 24][i % 4];
        layout.header = [8, 12, 16, 16][i % 4];
    }
    all
}

impl Tally {
    fn new(id_size: usize) -> Tally {
        Tally {
            id_size,
            texts: Texts::default(),
            names: FxHashMap::default(),
            classes: Classes::default(),
            counts: Vec::new(),
            numbers: Default::default(),
            described: Vec::new(),
            loaders: FxHashSet::default(),
            class_of_loader: FxHashMap::default(),
            open: None,
            last: None,
            samples: Samples::default(),
            gaps: Default::default(),
            sampled: Vec::new(),
            counted: true,
            objects: 0,
            layouts: layouts(),
        }
    }

    /// The distance from the last object to this one.
    fn next(&mut self, id: u64) {
        let Some((before, object)) = self.last.take() else {
            return;
        };
        let gap = id.saturating_sub(before);
        match object {
            Open::Instance { class, .. } if self.sampled.len() < SAMPLES => {
                self.sampled.push(class);
                self.gaps[0].push(gap);
            }
            Open::Array { length, .. } if self.gaps[1].len() < SAMPLES => {
                self.samples.arrays.push((before, length));
                self.gaps[1].push(gap);
            }
            Open::Numbers { bytes, .. } if self.gaps[2].len() < SAMPLES => {
                self.samples.numbers.push((before, bytes));
                self.gaps[2].push(gap);
            }
            _ => {}
        }
    }

    fn count(&mut self, class: u32) -> &mut Count {
        let at = class as usize;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, Count::default());
        }
        &mut self.counts[at]
    }

    /// Adds an object whose record is complete.
    fn add(&mut self, object: Open) {
        let counted = self.counted;
        self.objects += 1;
        let layouts = self.layouts;
        let (count, sizes) = match object {
            Open::Instance { class, bytes } => {
                let known = self.classes.rows[class as usize].dump.is_some();
                let count = self.count(class);
                count.sized += u64::from(counted);
                if known {
                    count.objects += 1;
                    return;
                }
                (count, layouts.map(|l| l.instance(0, bytes)))
            }
            Open::Array { class, length } => {
                let count = self.count(class);
                count.is_array = true;
                (count, layouts.map(|l| l.references(length)))
            }
            Open::Numbers { of, bytes } => {
                let sizes = layouts.map(|l| l.numbers(bytes));
                (&mut self.numbers[of as usize % 12], sizes)
            }
        };
        count.objects += 1;
        if counted {
            for (sum, size) in count.bytes.iter_mut().zip(sizes) {
                *sum = sum.saturating_add(size);
            }
        }
    }
}

impl Pass for Tally {
    fn text(&mut self, id: u64, text: &[u8]) {
        self.texts.add(id, text);
    }

    fn load_class(&mut self, _serial: u32, class: u64, name: u64) {
        self.names.insert(class, name);
    }

    fn heap(&mut self, kind: u32) {
        self.counted = kind == 0 || kind == u32::from(b'A');
    }

    fn class(&mut self, class: ClassDump) -> Result<()> {
        let at = self.classes.at(class.id);
        self.last = None;
        self.objects += 1;
        self.described.push((at, self.counted));
        if class.loader != 0 {
            self.loaders.insert(class.loader);
        }
        let row = &mut self.classes.rows[at as usize];
        if row.dump.is_none() {
            row.dump = Some(class);
        }
        Ok(())
    }

    fn instance(&mut self, object: u64, class: u64, bytes: u32) -> Result<usize> {
        self.next(object);
        let class = self.classes.at(class);
        if self.loaders.contains(&object) {
            self.class_of_loader.insert(object, class);
        }
        let bytes = u64::from(bytes);
        self.open = Some((object, Open::Instance { class, bytes }));
        Ok(0)
    }

    fn array(&mut self, object: u64, class: u64, length: u32) -> Result<bool> {
        self.next(object);
        let class = self.classes.at(class);
        let length = u64::from(length);
        self.open = Some((object, Open::Array { class, length }));
        Ok(false)
    }

    fn numbers(&mut self, object: u64, length: u32, of: u8) -> Result<()> {
        self.next(object);
        let width = width_of(of, self.id_size).unwrap_or(1) as u64;
        let bytes = u64::from(length) * width;
        self.open = Some((object, Open::Numbers { of, bytes }));
        Ok(())
    }

    fn complete(&mut self) {
        if let Some((id, object)) = self.open.take() {
            self.add(object);
            self.last = Some((id, object));
        }
    }
}

/// Numbers and bytes of each class, the layout that was inferred, and how the walk went.
///
/// Errors: the dump holds no object, or cannot be read.
pub(super) fn read(
    source: &Source,
    head: &Head,
    start: u64,
    symbols: &mut Symbols,
) -> Result<(HeapGraph, Layout, walk::Walked)> {
    let mut tally = Tally::new(head.id_size);
    let walked = walk::walk(source, head, start, &mut tally)?;
    let Tally {
        texts,
        names,
        mut classes,
        mut counts,
        numbers,
        described,
        class_of_loader,
        mut samples,
        gaps,
        sampled,
        objects,
        ..
    } = tally;
    if objects == 0 {
        return Err(super::no_object(walked));
    }
    classes.name_all(|id| {
        let name = names.get(&id)?;
        Some(java_name(&texts.get(*name)))
    });
    classes.resolve(&texts, head.id_size, symbols)?;
    counts.resize(classes.rows.len(), Count::default());
    let mut instance_gaps = Vec::new();
    for (&class, &gap) in sampled.iter().zip(&gaps[0]) {
        let row = &classes.rows[class as usize];
        if gap > 0 {
            let nearest = &mut counts[class as usize].nearest;
            let least = if nearest.0 == 0 {
                gap
            } else {
                nearest.1.min(gap)
            };
            *nearest = (nearest.0 + 1, least);
        }
        if row.dump.is_some() {
            let references = row.references.len() as u64;
            let sample = (0, references, u64::from(row.plain_bytes));
            samples.instances.push(sample);
            instance_gaps.push(gap);
        }
    }
    let layout = Layout::explain(head.id_size, &samples, &instance_gaps, &gaps[1], &gaps[2]);
    let rows = classes.rows.iter().zip(&counts);
    let hidden: Vec<u64> = rows
        .map(|(class, count)| super::hidden(class, &layout, count.nearest))
        .collect();
    classes.hide(&hidden);
    let fits = |l: &Layout| l.reference == layout.reference && l.array == layout.array;
    let place = layouts().iter().position(fits).unwrap_or(0);
    let header = |l: &Layout| l.header == layout.header;
    let of_header = layouts().iter().position(header).unwrap_or(0);
    let mut rows = Vec::new();
    let mut of_class = vec![(0, 0); classes.rows.len()];
    let mut of_numbers = (0u64, 0u64);
    let mut add = |type_of: TypeId, objects: u64, bytes: u64| {
        rows.push(TypeTally {
            type_of,
            objects,
            bytes,
        });
    };
    for ((class, count), of_class) in classes.rows.iter().zip(&counts).zip(&mut of_class) {
        let bytes = match class.dump {
            _ if count.is_array => count.bytes[place],
            Some(_) => count.sized.saturating_mul(class.size(&layout)),
            None => count.bytes[of_header],
        };
        *of_class = (count.objects, bytes);
        add(class.type_of, count.objects, bytes);
    }
    for (class, counted) in described {
        let class = &classes.rows[class as usize];
        let size = class.dump.as_ref().filter(|_| counted);
        let size = size.map_or(0, |d| classes.size_of_class(d, head.id_size, &layout));
        loaders::add(&mut of_class[class.at as usize], size);
        add(class.type_of_class, 1, size);
    }
    let crate::model::Symbols { strings, graph, .. } = symbols;
    for (of, name) in super::NUMBERS.iter().enumerate() {
        let count = &numbers[of + 4];
        let type_of = graph.type_id(strings, name, Role::Bytes);
        of_numbers.0 += count.objects;
        of_numbers.1 = of_numbers.1.saturating_add(count.bytes[place]);
        add(type_of, count.objects, count.bytes[place]);
    }
    let loaders = loaders::tally(&classes, &of_class, of_numbers, (0, 0), symbols, |id| {
        let class = class_of_loader.get(&id)?;
        Some(classes.rows[*class as usize].type_of)
    });
    let mut out = GraphBuilder::by_ordinal().finish();
    out.set_tally(rows);
    out.set_loaders(loaders);
    Ok((out, layout, walked))
}
