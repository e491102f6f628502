//! A shop of small allocations, each in its own line and of its own size, all of them kept.
//! `//@ name` marks the line that the table of true pairs knows by this name.
#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

use std::collections::VecDeque;
use std::hint::black_box;

fn keep<T>(value: T) {
    std::mem::forget(black_box(value));
}

mod parse {
    use super::keep;
    pub fn header(n: usize) {
        let mut head: Vec<u8> = Vec::with_capacity(1_003); //@ header-with-capacity
        head.resize(n.min(1_000), 1);
        keep(head);
        let copy = vec![2u8; 1_019]; //@ header-vec-macro
        keep(copy);
    }
    pub fn body(text: &str) {
        let owned = text[..1_031].to_owned(); //@ body-to-owned
        keep(owned);
        let boxed: Box<[u8]> = text.as_bytes()[..1_049].into(); //@ body-boxed-slice
        keep(boxed);
        field(text);
    }
    fn field(text: &str) {
        let name = String::from(&text[..1_061]); //@ field-string-from
        keep(name);
        let value = text.as_bytes()[..1_087].to_vec(); //@ field-to-vec
        keep(value);
    }
}

mod query {
    use super::keep;
    pub fn header(text: &str) {
        let owned = text[..1_091].to_string(); //@ query-header
        keep(owned);
    }
    pub fn plan(depth: u32, text: &str) {
        if depth == 0 {
            keep(text[..1_109].repeat(1)); //@ plan-repeat
            return;
        }
        let mut words: Vec<u16> = Vec::new();
        words.reserve_exact(562 + depth as usize); //@ plan-reserve
        keep(words);
        plan(depth - 1, text);
    }
}

trait Sink {
    fn emit(&self, text: &str);
}
struct File;
struct Net {
    room: usize,
}
impl Sink for File {
    fn emit(&self, text: &str) {
        keep(text[..1_163].to_owned()); //@ file-emit
    }
}
impl Sink for Net {
    fn emit(&self, text: &str) {
        let mut queue: VecDeque<u8> = VecDeque::with_capacity(self.room + 1_181); //@ net-emit
        queue.extend(text.bytes().take(10));
        keep(queue);
    }
}

fn store<T: Default + Clone>(n: usize) {
    keep(vec![T::default(); n]); //@ store
}

#[inline(never)]
fn transforms(text: &str) {
    let double = |n: usize| {
        keep(vec![7u8; n + 1_229]); //@ transforms-double
    };
    let triple = |n: usize| {
        keep(text[..n + 1_249].to_owned()); //@ transforms-triple
    };
    double(0);
    triple(0);
    let sizes = [1_277usize, 1_279];
    let rows: Vec<Box<[u8]>> = sizes
        .iter()
        .map(|&n| vec![0u8; n].into_boxed_slice()) //@ transforms-map
        .collect(); //@ transforms-collect
    keep(rows);
}

fn cache(text: &str) {
    let mut entries: Vec<String> = Vec::with_capacity(54); //@ cache-entries
    entries.push(text[..1_301].to_owned()); //@ cache-first
    entries.push(text[..1_303].to_owned()); //@ cache-second
    entries.push(text[..1_307].to_owned()); //@ cache-third
    keep(entries);
}

fn helper(n: usize) {
    keep(vec![0u8; n]); //@ helper
}
fn caller_one() {
    helper(1_319); //@ via caller-one
}
fn caller_two() {
    helper(1_321); //@ via caller-two
    helper(1_327); //@ via caller-two-again
}

fn encode(text: &str) {
    let line = format!("{}{}", &text[..600], &text[..761]); //@ encode-format
    keep(line);
    let shared: std::rc::Rc<[u8]> = text.as_bytes()[..1_367].into(); //@ encode-rc
    keep(shared);
    let shared: std::sync::Arc<str> = text[..1_373].into(); //@ encode-arc
    keep(shared);
    let parts: Vec<&str> = text[..87].split('x').collect(); //@ encode-split
    keep(parts);
}

fn session(text: &str) {
    keep(text[..1_423].to_uppercase()); //@ session-upper
    keep(text[..1_427].chars().rev().collect::<String>()); //@ session-rev
    keep(text[..1_429].replace('q', "z")); //@ session-replace
    keep(text.as_bytes()[..1_433].iter().map(|b| b ^ 1).collect::<Vec<u8>>()); //@ session-xor
    keep([&text[..700], &text[..739]].concat()); //@ session-concat
}

fn run(text: &str) {
    parse::header(500);
    parse::body(text);
    query::header(text);
    query::plan(2, text);
    let sinks: [&dyn Sink; 2] = [&File, &Net { room: 0 }];
    for sink in sinks {
        sink.emit(text);
    }
    store::<u8>(1_217);
    store::<u32>(306);
    transforms(text);
    cache(text);
    caller_one();
    caller_two();
    encode(text);
    session(text);
}

fn main() {
    let out = std::env::args().nth(1).unwrap_or_else(|| "out.json".into());
    let depth: usize = std::env::args().nth(2).and_then(|n| n.parse().ok()).unwrap_or(10);
    let text = "a".repeat(4_000);
    let _profiler = dhat::Profiler::builder()
        .file_name(out)
        .trim_backtraces(if depth == 0 { None } else { Some(depth) })
        .build();
    run(&text);
}
