//! Objects by the loader of their class.

use super::classes::Classes;
use crate::model::{LoaderTally, StrId, Symbols, TypeId};
use rustc_hash::{FxHashMap, FxHashSet};

/// The virtual machine's own loader, which is no object.
const BOOTSTRAP: &str = "(bootstrap)";
/// Of classes whose description, or whose loader, the dump lacks.
const UNKNOWN: &str = "(unknown loader)";

/// Objects and their own bytes.
pub(super) type Amount = (u64, u64);

/// Adds an object.
#[inline]
pub(super) fn add(to: &mut Amount, bytes: u64) {
    to.0 += 1;
    to.1 = to.1.saturating_add(bytes);
}

/// Sums up by the class of the loader. `of_class`: objects of each class, and the class itself, in
/// the order of [`Classes::rows`]; `numbers`: arrays of numbers, whose classes are the virtual
/// machine's; `unknown`: objects of no class that is known. `type_of`: the type of a loader.
pub(super) fn tally(
    classes: &Classes,
    of_class: &[Amount],
    numbers: Amount,
    unknown: Amount,
    symbols: &mut Symbols,
    mut type_of: impl FnMut(u64) -> Option<TypeId>,
) -> Vec<LoaderTally> {
    let mut rows: Vec<LoaderTally> = Vec::new();
    let mut row_of: FxHashMap<StrId, usize> = FxHashMap::default();
    let mut seen = FxHashSet::default();
    let bootstrap = symbols.strings.intern(BOOTSTRAP);
    let nobody = symbols.strings.intern(UNKNOWN);
    let mut put = |name: StrId, loaders: u64, classes: u64, (objects, bytes): Amount| {
        let row = *row_of.entry(name).or_insert_with(|| {
            rows.push(LoaderTally {
                name,
                loaders: 0,
                classes: 0,
                objects: 0,
                bytes: 0,
            });
            rows.len() - 1
        });
        let row = &mut rows[row];
        row.loaders += loaders;
        row.classes += classes;
        row.objects += objects;
        row.bytes = row.bytes.saturating_add(bytes);
    };
    for (class, &amount) in classes.rows.iter().zip(of_class) {
        if class.dump.is_none() && amount.0 == 0 {
            continue;
        }
        let (name, first) = match class.dump.as_ref().map(|d| d.loader) {
            None => (nobody, false),
            Some(0) => (bootstrap, seen.insert(0)),
            Some(id) => {
                let name = type_of(id).and_then(|t| symbols.graph.types().get(t.0 as usize));
                (name.map_or(nobody, |t| t.name), seen.insert(id))
            }
        };
        put(name, first.into(), class.dump.is_some().into(), amount);
    }
    if numbers.0 > 0 {
        put(bootstrap, seen.insert(0).into(), 0, numbers);
    }
    if unknown.0 > 0 {
        put(nobody, 0, 0, unknown);
    }
    rows
}
