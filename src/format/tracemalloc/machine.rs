//! A pickle machine that builds nothing: it knows the few shapes of a snapshot and no classes.
//!
//! A pickle is a program for a stack machine. Loading one in Python runs code that the file
//! names; here a value is a number, a name or a handle, and every instruction that would call,
//! import or construct anything else ends the reading. Shapes are recognised where they are
//! built: `(str, int)` is a frame, a tuple of frames a stack, `(int, int, stack[, int])` a block.
//! Shared values stay shared, so a file that doubles its logical size at each line costs nothing.

use super::values::{Block, Class, Held, Machine, Value};
use crate::error::{Code, Error, Place, Result};
use crate::model::{Frame, StrId, Symbols};

/// More values waiting on the stack than any snapshot needs (a batch holds 1,000, a stack 65,535).
const MOST_WAITING: usize = 1 << 18;
/// Lists, dictionaries and objects of one file: a snapshot has three.
const MOST_CONTAINERS: usize = 1 << 14;
/// Entries of one dictionary that is no list of blocks.
const MOST_KEYS: usize = 4096;

/// Why reading stopped.
#[derive(Debug, PartialEq)]
pub enum End {
    /// A whole pickle.
    Stop,
    /// The bytes ran out.
    Cut,
}

/// Reads one pickle that begins at `*at`, and leaves `*at` behind it.
///
/// Errors: instructions or shapes that no snapshot has; limits. Running out of bytes is
/// [`End::Cut`], with `*at` before the instruction that is cut.
pub fn run(
    bytes: &[u8],
    at: &mut usize,
    machine: &mut Machine,
    symbols: &mut Symbols,
) -> Result<End> {
    machine.begin();
    loop {
        let start = *at;
        let mut input = Input {
            bytes,
            at: start,
            cut: false,
        };
        let step = step(&mut input, machine, symbols);
        if input.cut {
            return Ok(End::Cut);
        }
        let done = step.map_err(|e| e.at(Place::Byte(start as u64)))?;
        *at = input.at;
        if done {
            return Ok(End::Stop);
        }
    }
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
    cut: bool,
}

impl<'a> Input<'a> {
    /// The next `n` bytes; none left sets `cut`, which outranks every error of the step.
    fn take(&mut self, n: u64) -> Result<&'a [u8]> {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        if n > rest.len() as u64 {
            self.cut = true;
            return Err(not_ours("an end"));
        }
        self.at += n as usize;
        Ok(&rest[..n as usize])
    }

    fn number(&mut self, n: u64) -> Result<u64> {
        let bytes = self.take(n)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |all, &byte| all << 8 | byte as u64))
    }

    /// The text up to the next line feed.
    fn line(&mut self) -> Result<&'a [u8]> {
        let rest = self.bytes.get(self.at..).unwrap_or(&[]);
        let Some(n) = rest.iter().position(|&b| b == b'\n') else {
            self.cut = true;
            return Err(not_ours("an end"));
        };
        self.at += n + 1;
        Ok(&rest[..n])
    }

    fn decimal(&mut self) -> Result<i64> {
        let line = self.line()?;
        let text = std::str::from_utf8(line).unwrap_or("").trim();
        text.strip_suffix('L')
            .unwrap_or(text)
            .parse()
            .map_err(|_| not_ours("a number that cannot be read"))
    }
}

fn not_ours(what: &str) -> Error {
    Error::new(
        Code::Unsupported,
        format!("no tracemalloc snapshot: the pickle holds {what}"),
    )
    .help("write it with tracemalloc.take_snapshot().dump(path)")
}

/// One instruction. True at the end of the pickle.
fn step(input: &mut Input<'_>, m: &mut Machine, symbols: &mut Symbols) -> Result<bool> {
    let op = input.take(1)?[0];
    match op {
        0x80 => {
            let version = input.number(1)?;
            if version > 5 {
                return Err(not_ours(&format!("protocol {version}")));
            }
        }
        // Frames only group bytes for reading; what they claim is not needed.
        0x95 => {
            input.take(8)?;
        }
        b'.' => return Ok(true),
        b'N' => m.push(Value::None),
        0x88 | 0x89 => m.push(Value::Other),
        b'G' => {
            input.take(8)?;
            m.push(Value::Other);
        }
        b'(' => m.push_mark(),
        b'J' => {
            let n = input.number(4)? as u32 as i32;
            m.push(Value::Int(n as i64));
        }
        b'K' => {
            let n = input.number(1)?;
            m.push(Value::Int(n as i64));
        }
        b'M' => {
            let n = input.number(2)?;
            m.push(Value::Int(n as i64));
        }
        0x8a => {
            let n = input.number(1)?;
            let n = long(input.take(n)?)?;
            m.push(Value::Int(n));
        }
        // `I01` and `I00` are how protocol 0 writes true and false.
        b'I' | b'L' => {
            let n = input.decimal()?;
            m.push(Value::Int(n));
        }
        0x8c => {
            let n = input.number(1)?;
            text(input.take(n)?, m, symbols);
        }
        b'X' => {
            let n = input.number(4)?;
            text(input.take(n)?, m, symbols);
        }
        0x8d => {
            let n = input.number(8)?;
            text(input.take(n)?, m, symbols);
        }
        b'V' => {
            let line = input.line()?;
            let plain = raw_unicode(line);
            text(plain.as_bytes(), m, symbols);
        }
        0x94 => m.memoize(None)?,
        b'q' => {
            let n = input.number(1)?;
            m.memoize(Some(n))?;
        }
        b'r' => {
            let n = input.number(4)?;
            m.memoize(Some(n))?;
        }
        b'p' => {
            let n = input.decimal()?;
            m.memoize(Some(n as u64))?;
        }
        b'h' => {
            let n = input.number(1)?;
            m.recall(n)?;
        }
        b'j' => {
            let n = input.number(4)?;
            m.recall(n)?;
        }
        b'g' => {
            let n = input.decimal()?;
            m.recall(n as u64)?;
        }
        b'c' => {
            let module = input.line()?;
            let name = input.line()?;
            let class = class(module, name)?;
            m.push(Value::Held(Held::Named(class)));
        }
        0x93 => {
            let (name, module) = (m.pop()?, m.pop()?);
            let (Value::Held(Held::Text(name)), Value::Held(Held::Text(module))) = (name, module)
            else {
                return Err(not_ours("a class without a name"));
            };
            let strings = &symbols.strings;
            let class = class(strings.get(module).as_bytes(), strings.get(name).as_bytes())?;
            m.push(Value::Held(Held::Named(class)));
        }
        b')' => m.push(Value::Held(Held::Nothing)),
        0x85..=0x87 => {
            let n = (op - 0x84) as usize;
            let from = m.last(n)?;
            tuple(m, symbols, from)?;
        }
        b't' => {
            let from = m.pop_mark()?;
            tuple(m, symbols, from)?;
        }
        b']' => {
            let list = m.new_list();
            m.push(list);
        }
        b'l' => {
            let from = m.pop_mark()?;
            let list = m.new_list();
            m.append(list, from)?;
            m.push(list);
        }
        b'a' | b'e' => {
            let from = if op == b'a' {
                m.last(1)?
            } else {
                m.pop_mark()?
            };
            m.append(m.below(from)?, from)?;
        }
        b'}' => {
            let dict = m.new_dict();
            m.push(dict);
        }
        b'd' => {
            let from = m.pop_mark()?;
            let dict = m.new_dict();
            m.set_items(dict, from, MOST_KEYS)?;
            m.push(dict);
        }
        b's' | b'u' => {
            let from = if op == b's' {
                m.last(2)?
            } else {
                m.pop_mark()?
            };
            m.set_items(m.below(from)?, from, MOST_KEYS)?;
        }
        0x81 => {
            let (args, class) = (m.pop()?, m.pop()?);
            match (class, args) {
                (Value::Held(Held::Named(class)), Value::Held(Held::Nothing)) => {
                    m.construct(class)?
                }
                _ => return Err(not_ours("an object with arguments")),
            }
        }
        b'R' => {
            let (args, function) = (m.pop()?, m.pop()?);
            match (function, args) {
                (
                    Value::Held(Held::Named(Class::Reconstructor)),
                    Value::Held(Held::Reconstruct(class)),
                ) => m.construct(class)?,
                _ => return Err(not_ours("a call (REDUCE)")),
            }
        }
        b'b' => m.build(symbols)?,
        _ => return Err(not_ours(&format!("the instruction {}", name_of(op)))),
    }
    if m.waiting() > MOST_WAITING {
        return Err(Error::new(
            Code::LimitExceeded,
            format!("more than {MOST_WAITING} values wait on the pickle's stack"),
        )
        .help("no snapshot needs so many: capture it again"));
    }
    if m.containers() > MOST_CONTAINERS {
        return Err(Error::new(
            Code::LimitExceeded,
            format!("more than {MOST_CONTAINERS} lists, dictionaries and objects"),
        )
        .help("no snapshot needs so many: capture it again"));
    }
    Ok(false)
}

pub(super) fn underflow() -> Error {
    Error::new(Code::Damaged, "the pickle takes more values than it made")
        .help("the file is damaged: capture it again")
}

/// A little-endian two's complement number of any length that fits into 64 bits.
fn long(bytes: &[u8]) -> Result<i64> {
    let negative = bytes.last().is_some_and(|&b| b & 0x80 != 0);
    let fill = if negative { 0xff } else { 0 };
    let mut wide = [fill; 8];
    for (i, &byte) in bytes.iter().enumerate() {
        match wide.get_mut(i) {
            Some(place) => *place = byte,
            None if byte == fill => {}
            None => return Err(not_ours("a number of more than 64 bits")),
        }
    }
    let n = i64::from_le_bytes(wide);
    if (n < 0) != negative {
        return Err(not_ours("a number of more than 64 bits"));
    }
    Ok(n)
}

fn text(bytes: &[u8], m: &mut Machine, symbols: &mut Symbols) {
    let id = symbols.strings.intern_bytes(bytes);
    m.push(Value::Held(Held::Text(id)));
}

/// Protocol 0 text: Latin-1 with `\uXXXX` and `\UXXXXXXXX`.
fn raw_unicode(line: &[u8]) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = match (byte, after.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => 0,
        };
        let code = after
            .get(1..1 + digits)
            .filter(|d| !d.is_empty() && d.iter().all(u8::is_ascii_hexdigit))
            .and_then(|d| u32::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok());
        match code {
            Some(code) => {
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                rest = &after[1 + digits..];
            }
            None => {
                out.push(byte as char);
                rest = after;
            }
        }
    }
    out
}

fn class(module: &[u8], name: &[u8]) -> Result<Class> {
    match (module, name) {
        (b"tracemalloc", b"Snapshot") => Ok(Class::Snapshot),
        (b"tracemalloc", b"_Traces") => Ok(Class::Traces),
        (b"copy_reg" | b"copyreg", b"_reconstructor") => Ok(Class::Reconstructor),
        (b"__builtin__" | b"builtins", b"object") => Ok(Class::Object),
        _ => {
            let shown = |b: &[u8]| String::from_utf8_lossy(&b[..b.len().min(60)]).into_owned();
            Err(not_ours(&format!(
                "the class {}.{}",
                shown(module),
                shown(name)
            )))
        }
    }
}

/// Makes a tuple of the values from `from` on, by its shape.
fn tuple(m: &mut Machine, symbols: &mut Symbols, from: usize) -> Result<()> {
    use Held::*;
    let values = m.values(from);
    let made = match *values {
        [] => Nothing,
        [Value::Held(Text(file)), Value::Int(line)] => {
            let line = u32::try_from(line).map_err(|_| not_ours("a line number below 0"))?;
            Place(symbols.frames.intern(Frame {
                file,
                line,
                ..Frame::named(StrId::EMPTY)
            }))
        }
        [Value::Held(Place(_)), ..] => {
            let mut frames = std::mem::take(&mut m.frames);
            frames.clear();
            for value in m.values(from) {
                match *value {
                    Value::Held(Place(frame)) => frames.push(frame),
                    _ => return Err(not_ours("a stack with something else than frames")),
                }
            }
            let stack = symbols.stacks.intern_leaf_first(&frames);
            m.frames = frames;
            Stack(stack)
        }
        [Value::Int(size), Value::Held(Stack(stack))] => m.block(Block {
            domain: 0,
            size,
            stack,
            depth: 0,
        })?,
        [
            Value::Int(domain),
            Value::Int(size),
            Value::Held(Stack(stack)),
        ] => m.block(Block {
            domain,
            size,
            stack,
            depth: 0,
        })?,
        [
            Value::Int(domain),
            Value::Int(size),
            Value::Held(Stack(stack)),
            depth,
        ] => {
            let depth = match depth {
                Value::None => 0,
                Value::Int(n) => u32::try_from(n).map_err(|_| not_ours("a depth below 0"))?,
                _ => return Err(not_ours("a depth that is no number")),
            };
            m.block(Block {
                domain,
                size,
                stack,
                depth,
            })?
        }
        [
            Value::Held(Named(class)),
            Value::Held(Named(Class::Object)),
            Value::None,
        ] => Reconstruct(class),
        [Value::Held(Memory(_) | Object(_)), ..] => {
            let list = m.new_list();
            m.append(list, from)?;
            m.push(list);
            return Ok(());
        }
        _ => return Err(not_ours("a tuple of a shape that is no part of a snapshot")),
    };
    m.drop_to(from);
    m.push(Value::Held(made));
    Ok(())
}

pub(super) fn wrong_place(what: &str) -> Error {
    not_ours(what)
}

/// What people call an instruction that is refused.
fn name_of(op: u8) -> String {
    let name = match op {
        b'i' => "INST",
        b'o' => "OBJ",
        0x92 => "NEWOBJ_EX",
        0x82..=0x84 => "EXT",
        b'P' => "PERSID",
        b'Q' => "BINPERSID",
        0x97 => "NEXT_BUFFER",
        0x98 => "READONLY_BUFFER",
        0x96 => "BYTEARRAY8",
        b'B' | b'C' | 0x8e => "BINBYTES",
        b'T' | b'U' | b'S' => "STRING",
        0x8b => "LONG4",
        0x8f | 0x90 => "SET",
        0x91 => "FROZENSET",
        _ => return format!("0x{op:02x}"),
    };
    name.into()
}
