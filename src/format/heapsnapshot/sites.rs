//! Where objects were allocated: the tree of calls that V8 keeps while it tracks allocations.

use super::names::Names;
use super::scan::Scan;
use super::{MOST_NAMES, damaged};
use crate::error::{Code, Error, Place, Result};
use crate::model::{Frame, GraphBuilder, Symbols};
use rustc_hash::FxHashMap;

/// A function: numbers of its name and script in the table of strings, line and column.
#[derive(Debug, Clone, Copy)]
struct Function {
    name: u32,
    script: u32,
    line: u32,
    column: u32,
}

/// A call: which function, from which call.
#[derive(Debug, Clone, Copy)]
struct Call {
    function: u32,
    parent: u32,
}

const NONE: u32 = u32::MAX;
/// Stacks are cut to their innermost frames beyond this depth.
const DEEPEST: usize = 1024;
/// Frames that all stacks may have together.
const FRAMES: usize = 1 << 26;

/// Functions and calls of a snapshot.
#[derive(Debug, Default)]
pub(super) struct Traces {
    functions: Vec<Function>,
    calls: Vec<Call>,
    of_id: FxHashMap<u32, u32>,
}

impl Traces {
    /// The table of functions.
    pub(super) fn functions(
        &mut self,
        scan: &mut Scan<'_>,
        (width, [name, script, line, column]): (usize, [usize; 4]),
        names: &mut Names,
    ) -> Result<()> {
        let small = |n: u64| u32::try_from(n).unwrap_or(0);
        let named = |n: u64| match n < MOST_NAMES {
            true => Ok(n as u32),
            false => Err(damaged("a function's name lies beyond any table")),
        };
        scan.records(width, |f| {
            let function = Function {
                name: named(f[name])?,
                script: named(f[script])?,
                line: small(f[line]),
                column: small(f[column]),
            };
            names.use_name(function.name);
            names.use_name(function.script);
            self.functions.push(function);
            Ok(())
        })?;
        Ok(())
    }

    /// The tree of calls: the fields of a call stand in a row, its children in a list in it.
    pub(super) fn calls(
        &mut self,
        scan: &mut Scan<'_>,
        (width, [id, function, children]): (usize, [usize; 3]),
    ) -> Result<()> {
        /// A list that is open: the call it belongs to, the call being read, the next field.
        struct Open {
            parent: u32,
            call: u32,
            field: usize,
        }
        let mut open = vec![Open {
            parent: NONE,
            call: NONE,
            field: 0,
        }];
        scan.expect(b'[')?;
        let mut first = true;
        while let Some(list) = open.last_mut() {
            if scan.accept(b']')? {
                if list.field % width != 0 {
                    return Err(scan.error("a call is not whole"));
                }
                open.pop();
                first = false;
                continue;
            }
            if !first {
                scan.expect(b',')?;
            }
            first = false;
            let field = list.field % width;
            if field == 0 {
                list.call = self.calls.len() as u32;
                self.calls.push(Call {
                    function: NONE,
                    parent: list.parent,
                });
            }
            list.field += 1;
            let call = list.call;
            if field == children {
                scan.expect(b'[')?;
                if open.len() > 1 << 20 {
                    return Err(Error::new(Code::LimitExceeded, "calls are nested too deep")
                        .at(Place::Byte(scan.offset())));
                }
                open.push(Open {
                    parent: call,
                    call: NONE,
                    field: 0,
                });
                first = true;
                continue;
            }
            let value = u32::try_from(scan.integer()?).unwrap_or(NONE);
            if field == id {
                self.of_id.insert(value, call);
            } else if field == function {
                self.calls[call as usize].function = value;
            }
        }
        Ok(())
    }

    /// Gives every object with a trace its stack.
    pub(super) fn stacks(self, builder: &mut GraphBuilder, names: &Names, symbols: &mut Symbols) {
        let mut frames = FxHashMap::default();
        let mut known: FxHashMap<u32, Option<u32>> = FxHashMap::default();
        let mut stack = Vec::new();
        let mut left = FRAMES;
        builder.rename_sites(|id| {
            *known.entry(id).or_insert_with(|| {
                stack.clear();
                let mut at = *self.of_id.get(&id)?;
                // A call's parent comes before it, so this ends; the first call is V8's own root.
                while at > 0
                    && stack.len() < DEEPEST
                    && let Some(&call) = self.calls.get(at as usize)
                {
                    if let Some(function) = self.functions.get(call.function as usize) {
                        let frame = *frames.entry(call.function).or_insert_with(|| {
                            let name = match names.text(function.name) {
                                name if name.is_empty() => symbols.strings.intern("(anonymous)"),
                                name => name,
                            };
                            symbols.frames.intern(Frame {
                                file: names.text(function.script),
                                line: function.line,
                                column: function.column,
                                ..Frame::named(name)
                            })
                        });
                        stack.push(frame);
                    }
                    at = call.parent;
                }
                left = left.checked_sub(stack.len())?;
                (!stack.is_empty()).then(|| symbols.stacks.intern_leaf_first(&stack).index() as u32)
            })
        });
    }
}
