//! The values that a snapshot is made of, and the machine's memory.

use super::machine::{underflow, wrong_place};
use crate::error::Result;
use crate::model::{FrameId, StackId, StrId, Symbols};
use rustc_hash::FxHashMap;

/// Classes that a snapshot names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `tracemalloc.Snapshot`
    Snapshot,
    /// `tracemalloc._Traces`
    Traces,
    /// `copyreg._reconstructor`, how protocols 0 and 1 make objects.
    Reconstructor,
    /// `object`
    Object,
}

/// A value that may be shared through the memo: a handle of eight bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Held {
    /// Text.
    Text(StrId),
    /// `(file, line)`
    Place(FrameId),
    /// A tuple of frames.
    Stack(StackId),
    /// One traced block.
    Memory(u32),
    /// The empty tuple.
    Nothing,
    /// A list.
    List(u32),
    /// A dictionary.
    Dict(u32),
    /// A class, which only `construct` uses.
    Named(Class),
    /// What `copyreg._reconstructor` is called with.
    Reconstruct(Class),
    /// An object of a class.
    Object(u32),
}

/// A value on the stack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// `None`
    None,
    /// A number.
    Int(i64),
    /// A truth value or a decimal number, which no snapshot needs.
    Other,
    /// Anything that may be shared.
    Held(Held),
}

/// One traced block; equal ones are kept once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Block {
    /// 0 is Python's own memory.
    pub domain: i64,
    /// Bytes requested.
    pub size: i64,
    /// Where.
    pub stack: StackId,
    /// Depth before outer frames were cut off; 0 is unknown.
    pub depth: u32,
}

#[derive(Debug, Default)]
enum List {
    #[default]
    Empty,
    Blocks(Vec<u32>),
    Objects(Vec<u32>),
}

#[derive(Debug)]
struct Object {
    class: Class,
    /// Of a snapshot its traces object, of traces their list.
    part: Option<u32>,
    limit: Option<i64>,
}

/// One finished snapshot.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot {
    list: u32,
    /// `traceback_limit`, if known.
    pub limit: Option<i64>,
    /// Key under which a dictionary held it.
    pub name: StrId,
}

/// The machine's memory; kept from one pickle to the next of a file.
#[derive(Debug, Default)]
pub struct Machine {
    stack: Vec<Value>,
    marks: Vec<usize>,
    memo: Vec<Held>,
    blocks: Vec<Block>,
    block_ids: FxHashMap<Block, u32>,
    lists: Vec<List>,
    dicts: Vec<Vec<(StrId, Value)>>,
    objects: Vec<Object>,
    /// Scratch for the frames of one stack.
    pub frames: Vec<FrameId>,
}

impl Machine {
    /// Empties what belongs to one pickle.
    pub fn begin(&mut self) {
        self.stack.clear();
        self.marks.clear();
        self.memo.clear();
    }

    /// Values and marks that wait on the stack.
    pub fn waiting(&self) -> usize {
        self.stack.len() + self.marks.len()
    }

    /// Lists, dictionaries and objects of all pickles so far.
    pub fn containers(&self) -> usize {
        self.lists.len() + self.dicts.len() + self.objects.len()
    }

    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    /// Where the last `n` values begin.
    pub fn last(&self, n: usize) -> Result<usize> {
        match self.stack.len().checked_sub(n) {
            Some(from) if from >= self.floor() => Ok(from),
            _ => Err(underflow()),
        }
    }

    /// Pushes a value.
    pub fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    /// Takes the last value.
    pub fn pop(&mut self) -> Result<Value> {
        let from = self.last(1)?;
        let value = self.stack.get(from).copied().ok_or_else(underflow)?;
        self.stack.truncate(from);
        Ok(value)
    }

    /// Marks the place where a batch begins.
    pub fn push_mark(&mut self) {
        self.marks.push(self.stack.len());
    }

    /// Where the last batch begins.
    pub fn pop_mark(&mut self) -> Result<usize> {
        self.marks.pop().ok_or_else(underflow)
    }

    /// The values from `from` on.
    pub fn values(&self, from: usize) -> &[Value] {
        self.stack.get(from..).unwrap_or(&[])
    }

    /// The container below `from`.
    pub fn below(&self, from: usize) -> Result<Value> {
        match from.checked_sub(1) {
            Some(i) if i >= self.floor() => self.stack.get(i).copied().ok_or_else(underflow),
            _ => Err(underflow()),
        }
    }

    /// Drops the values from `from` on.
    pub fn drop_to(&mut self, from: usize) {
        self.stack.truncate(from);
    }

    /// Keeps the last value for [`Machine::recall`], at a place at most one behind the last.
    pub fn memoize(&mut self, place: Option<u64>) -> Result<()> {
        let Some(Value::Held(held)) = self.stack.last().copied() else {
            return Err(wrong_place("a shared value that is no part of a snapshot"));
        };
        let len = self.memo.len() as u64;
        match place {
            Some(place) if place > len => return Err(wrong_place("a memo with gaps")),
            Some(place) if place < len => self.memo[place as usize] = held,
            _ => self.memo.push(held),
        }
        Ok(())
    }

    /// Pushes a value kept before.
    pub fn recall(&mut self, place: u64) -> Result<()> {
        let held = usize::try_from(place)
            .ok()
            .and_then(|i| self.memo.get(i))
            .copied()
            .ok_or_else(|| wrong_place("a reference to a value that comes later"))?;
        self.push(Value::Held(held));
        Ok(())
    }

    /// A new empty list.
    pub fn new_list(&mut self) -> Value {
        self.lists.push(List::Empty);
        Value::Held(Held::List(self.lists.len() as u32 - 1))
    }

    /// A new empty dictionary.
    pub fn new_dict(&mut self) -> Value {
        self.dicts.push(Vec::new());
        Value::Held(Held::Dict(self.dicts.len() as u32 - 1))
    }

    /// The handle of a block; equal blocks have one.
    pub fn block(&mut self, block: Block) -> Result<Held> {
        if block.size < 0 {
            return Err(wrong_place("a block of less than 0 bytes"));
        }
        let next = self.blocks.len() as u32;
        let id = *self.block_ids.entry(block).or_insert(next);
        if id == next {
            self.blocks.push(block);
        }
        Ok(Held::Memory(id))
    }

    /// Moves the values from `from` on into a list: blocks or objects, not both. A list is never
    /// put into a list, so there are no cycles.
    pub fn append(&mut self, list: Value, from: usize) -> Result<()> {
        let Value::Held(Held::List(list)) = list else {
            return Err(wrong_place("a list of something else"));
        };
        let list = self.lists.get_mut(list as usize).ok_or_else(underflow)?;
        for value in self.stack.get(from..).unwrap_or(&[]) {
            match (*value, &mut *list) {
                (Value::Held(Held::Memory(id)), List::Blocks(ids))
                | (Value::Held(Held::Object(id)), List::Objects(ids)) => ids.push(id),
                (Value::Held(Held::Memory(id)), List::Empty) => *list = List::Blocks(vec![id]),
                (Value::Held(Held::Object(id)), List::Empty) => *list = List::Objects(vec![id]),
                _ => return Err(wrong_place("a list of something else than traced blocks")),
            }
        }
        self.drop_to(from);
        Ok(())
    }

    /// Moves the pairs from `from` on into a dictionary.
    pub fn set_items(&mut self, dict: Value, from: usize, most: usize) -> Result<()> {
        let Value::Held(Held::Dict(dict)) = dict else {
            return Err(wrong_place("items of something else than a dictionary"));
        };
        let dict = self.dicts.get_mut(dict as usize).ok_or_else(underflow)?;
        for pair in self.stack.get(from..).unwrap_or(&[]).chunks(2) {
            let &[Value::Held(Held::Text(key)), value] = pair else {
                return Err(wrong_place("a dictionary whose keys are no text"));
            };
            if matches!(value, Value::Held(Held::Dict(_))) || dict.len() >= most {
                return Err(wrong_place("a dictionary that is no part of a snapshot"));
            }
            dict.push((key, value));
        }
        self.drop_to(from);
        Ok(())
    }

    /// Pushes a new object of a class that snapshots have.
    pub fn construct(&mut self, class: Class) -> Result<()> {
        if !matches!(class, Class::Snapshot | Class::Traces) {
            return Err(wrong_place("an object of another class"));
        }
        self.objects.push(Object {
            class,
            part: None,
            limit: None,
        });
        self.push(Value::Held(Held::Object(self.objects.len() as u32 - 1)));
        Ok(())
    }

    /// Gives an object its state.
    pub fn build(&mut self, symbols: &Symbols) -> Result<()> {
        let (state, object) = (self.pop()?, self.pop()?);
        let (Value::Held(Held::Dict(state)), Value::Held(Held::Object(id))) = (state, object)
        else {
            return Err(wrong_place("a state (BUILD) of something else"));
        };
        let state = self.dicts.get_mut(state as usize).ok_or_else(underflow)?;
        let state = std::mem::take(state);
        let target = self.objects.get_mut(id as usize).ok_or_else(underflow)?;
        for (key, value) in state {
            match (target.class, symbols.strings.get(key), value) {
                (Class::Snapshot, "traces", Value::Held(Held::Object(traces))) => {
                    target.part = Some(traces);
                }
                (Class::Snapshot, "traceback_limit", Value::Int(n)) => target.limit = Some(n),
                (Class::Traces, "_traces", Value::Held(Held::List(list))) => {
                    target.part = Some(list);
                }
                (Class::Traces, "_traces", Value::Held(Held::Nothing)) => {
                    self.lists.push(List::Empty);
                    target.part = Some(self.lists.len() as u32 - 1);
                }
                (_, "traces" | "_traces" | "traceback_limit", _) => {
                    return Err(wrong_place("a snapshot of an unknown kind"));
                }
                _ => {}
            }
        }
        self.push(object);
        Ok(())
    }

    /// The snapshots that the finished pickle consists of: one, or a list or dictionary of them.
    pub fn result(&self) -> Result<Vec<Snapshot>> {
        let none = || wrong_place("no snapshot");
        let found: Vec<(StrId, u32)> = match self.stack.last() {
            Some(Value::Held(Held::Object(id))) => vec![(StrId::EMPTY, *id)],
            Some(Value::Held(Held::List(list))) => match self.lists.get(*list as usize) {
                Some(List::Objects(ids)) => ids.iter().map(|&id| (StrId::EMPTY, id)).collect(),
                _ => return Err(none()),
            },
            Some(Value::Held(Held::Dict(dict))) => {
                let items = self.dicts.get(*dict as usize).map_or(&[][..], |d| d);
                let objects = items.iter().filter_map(|&(key, value)| match value {
                    Value::Held(Held::Object(id)) => Some((key, id)),
                    _ => None,
                });
                objects.collect()
            }
            _ => return Err(none()),
        };
        if found.is_empty() {
            return Err(none());
        }
        let snapshot = |(name, id): (StrId, u32)| {
            let object = self.objects.get(id as usize);
            let object = object.filter(|o| o.class == Class::Snapshot)?;
            let traces = self.objects.get(object.part? as usize);
            let traces = traces.filter(|o| o.class == Class::Traces)?;
            Some(Snapshot {
                list: traces.part?,
                limit: object.limit,
                name,
            })
        };
        let all: Option<Vec<Snapshot>> = found.into_iter().map(snapshot).collect();
        all.ok_or_else(none)
    }

    /// What was read of the last list of blocks when the bytes ran out; waiting blocks included.
    pub fn rescue(&mut self) -> Option<Snapshot> {
        let list = self
            .lists
            .iter()
            .rposition(|l| matches!(l, List::Blocks(_)))
            .unwrap_or_else(|| {
                self.lists.push(List::Blocks(Vec::new()));
                self.lists.len() - 1
            });
        let waiting = self.stack.iter().filter_map(|v| match v {
            Value::Held(Held::Memory(id)) => Some(*id),
            _ => None,
        });
        if let Some(List::Blocks(ids)) = self.lists.get_mut(list) {
            ids.extend(waiting);
            if ids.is_empty() {
                return None;
            }
        }
        Some(Snapshot {
            list: list as u32,
            limit: None,
            name: StrId::EMPTY,
        })
    }

    /// The handles of the blocks of a snapshot, for [`Machine::blocks`].
    pub fn block_ids(&self, snapshot: &Snapshot) -> &[u32] {
        match self.lists.get(snapshot.list as usize) {
            Some(List::Blocks(ids)) => ids,
            _ => &[],
        }
    }

    /// The distinct blocks of the file.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }
}
