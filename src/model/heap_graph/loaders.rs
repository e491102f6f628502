//! Objects by the loader of their class, in runtimes that have class loaders.

use super::HeapGraph;
use crate::model::strings::StrId;

/// Loaders of one class together. Over all rows objects and bytes add up to those of the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoaderTally {
    /// The class of the loaders; a name in words for the runtime's own loader, which is no object.
    pub name: StrId,
    /// Loaders of that class that have loaded a class.
    pub loaders: u64,
    /// Classes that they loaded.
    pub classes: u64,
    /// Objects of these classes, and the classes themselves.
    pub objects: u64,
    /// Their own bytes.
    pub bytes: u64,
}

impl HeapGraph {
    /// Objects by the loader of their class, in no order that means something; empty where the
    /// runtime has no loaders.
    pub fn loaders(&self) -> &[LoaderTally] {
        &self.loaders
    }

    /// Says how many objects there are by loader.
    pub fn set_loaders(&mut self, loaders: Vec<LoaderTally>) {
        self.loaders = loaders.into();
    }
}
