//! Layout: a line for each key of the document and each element of its lists, the rest compact.

use serde_json::ser::Formatter;
use std::io::{Result, Write};

/// Down to this depth everything has a line of its own.
const DEPTH: usize = 2;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Lines {
    depth: usize,
    any: bool,
}

impl Lines {
    fn open<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> Result<()> {
        self.depth += 1;
        self.any = false;
        out.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8], lines: bool) -> Result<()> {
        self.depth -= 1;
        if lines && self.any {
            self.start_line(out)?;
        }
        self.any = true;
        out.write_all(bracket)
    }

    fn start_line<W: ?Sized + Write>(&self, out: &mut W) -> Result<()> {
        out.write_all(b"\n")?;
        for _ in 0..self.depth {
            out.write_all(b"  ")?;
        }
        Ok(())
    }

    fn next<W: ?Sized + Write>(&self, out: &mut W, first: bool, lines: bool) -> Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        if lines {
            self.start_line(out)
        } else if first {
            Ok(())
        } else {
            out.write_all(b" ")
        }
    }
}

impl Formatter for Lines {
    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.open(out, b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        self.next(out, first, self.depth < DEPTH)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> Result<()> {
        self.any = true;
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        let lines = self.depth < DEPTH;
        self.close(out, b"}", lines)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.open(out, b"[")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        self.next(out, first, self.depth <= DEPTH)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> Result<()> {
        self.any = true;
        Ok(())
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        let lines = self.depth <= DEPTH;
        self.close(out, b"]", lines)
    }
}
