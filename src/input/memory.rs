//! Large blocks of memory: kept from one phase to the next, and in large pages.
//!
//! The columns of an object graph are megabytes each, and every phase of an analysis takes fresh
//! ones. A page that was never touched costs the kernel more than the phase that uses it, so what
//! one phase lets go is kept for the next; but never so much that more is resident than was in use
//! at the peak.
//!
//! Columns of tens of megabytes are looked into anywhere. From pages of 4 KiB most looks miss in
//! the table of addresses too, so blocks from [`HUGE`] on ask for large pages. Smaller ones do not:
//! a large page is zeroed whole, and on a virtual machine is one that its host has to find first.

use std::alloc::{GlobalAlloc, Layout, System};

/// Blocks from this size on are the kernel's; smaller ones the system allocator's.
const LARGE: usize = 2 << 20;

/// Blocks from this size on ask for large pages.
const HUGE: usize = 32 << 20;

/// The allocator: that of the system, except for large blocks on Linux.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory;

/// Whether a block of this layout is the kernel's.
#[inline]
fn is_large(size: usize, align: usize) -> bool {
    cfg!(target_os = "linux") && size >= LARGE && align <= 4096
}

// SAFETY: a block belongs to the kernel or to the system allocator by its layout alone, and goes
// back where it came from; one that changes between them is copied.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Memory {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match is_large(layout.size(), layout.align()) {
            true => kernel::take(layout.size(), false),
            // SAFETY: as the caller promises.
            false => unsafe { System.alloc(layout) },
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match is_large(layout.size(), layout.align()) {
            true => kernel::take(layout.size(), true),
            // SAFETY: as the caller promises.
            false => unsafe { System.alloc_zeroed(layout) },
        }
    }

    #[inline]
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        match is_large(layout.size(), layout.align()) {
            // SAFETY: blocks of this layout come from `kernel::take`.
            true => unsafe { kernel::give(at, layout.size()) },
            // SAFETY: and all others from the system allocator.
            false => unsafe { System.dealloc(at, layout) },
        }
    }

    #[inline]
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let from = is_large(layout.size(), layout.align());
        let to = is_large(size, layout.align());
        if from != to {
            // SAFETY: the size is the caller's, the alignment one that was good before; both
            // blocks are at least as long as what is copied, and they are distinct.
            return unsafe {
                let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
                if !new.is_null() {
                    at.copy_to_nonoverlapping(new, layout.size().min(size));
                    self.dealloc(at, layout);
                }
                new
            };
        }
        match from {
            // SAFETY: blocks of this layout come from `kernel::take`.
            true => unsafe { kernel::resize(at, layout.size(), size) },
            // SAFETY: and all others from the system allocator.
            false => unsafe { System.realloc(at, layout, size) },
        }
    }
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
mod kernel {
    use super::{HUGE, LARGE};
    use std::ptr::null_mut;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// Lengths are multiples of this, which is a multiple of the pages of every machine.
    const GRAIN: usize = 64 << 10;
    /// Blocks that are kept at most.
    const MOST_KEPT: usize = 32;

    /// What is in use and what is kept, in bytes.
    struct Books {
        used: usize,
        most_used: usize,
        kept: usize,
        /// Address and length of each block that is kept; a length of 0 is none.
        blocks: [(usize, usize); MOST_KEPT],
    }

    static BOOKS: Mutex<Books> = Mutex::new(Books {
        used: 0,
        most_used: 0,
        kept: 0,
        blocks: [(0, 0); MOST_KEPT],
    });

    fn books() -> MutexGuard<'static, Books> {
        BOOKS.lock().unwrap_or_else(PoisonError::into_inner)
    }

    impl Books {
        /// The place of the block that fits best: the smallest that is long enough, else the
        /// largest.
        fn best(&self, size: usize) -> Option<usize> {
            let kept = (0..MOST_KEPT).filter(|&i| self.blocks[i].1 > 0);
            kept.min_by_key(|&i| {
                let length = self.blocks[i].1;
                (length < size, length.abs_diff(size))
            })
        }

        /// Takes a block out.
        fn remove(&mut self, place: usize) -> (*mut u8, usize) {
            let (at, length) = std::mem::take(&mut self.blocks[place]);
            self.kept -= length;
            (std::ptr::with_exposed_provenance_mut(at), length)
        }

        /// So many bytes more are in use: blocks are let go until no more is resident than ever
        /// was in use.
        fn grow(&mut self, bytes: usize) {
            self.used += bytes;
            self.most_used = self.most_used.max(self.used);
            while self.used + self.kept > self.most_used
                && let Some(place) = self.best(self.used + self.kept - self.most_used)
            {
                let (at, length) = self.remove(place);
                // SAFETY: a block that is kept is used by nobody.
                unsafe { libc::munmap(at.cast(), length) };
            }
        }
    }

    /// Lengths that are nearly whole large pages become so where these are asked for.
    fn whole(size: usize) -> Option<usize> {
        let nearly = size >= HUGE && size % LARGE >= LARGE / 2;
        let grain = if nearly { LARGE } else { GRAIN };
        size.checked_next_multiple_of(grain)
    }

    /// Addresses for a block, at the begin of a large page; null where there are none.
    fn place(size: usize) -> *mut u8 {
        let map = |size| {
            // SAFETY: a new anonymous map, at a place that the kernel chooses.
            let at = unsafe {
                libc::mmap(
                    null_mut(),
                    size,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                    -1,
                    0,
                )
            };
            if at == libc::MAP_FAILED {
                null_mut()
            } else {
                at
            }
        };
        let at = map(size);
        if at.is_null() || at.addr().is_multiple_of(LARGE) {
            return at.cast();
        }
        // SAFETY: the map that was just made, which nobody has seen.
        unsafe { libc::munmap(at, size) };
        let Some(more) = size.checked_add(LARGE) else {
            return null_mut();
        };
        let at = map(more).cast::<u8>();
        if at.is_null() {
            return at;
        }
        let before = at.addr().wrapping_neg() % LARGE;
        // SAFETY: both ends lie within the map that was just made, at whole pages.
        unsafe {
            if before > 0 {
                libc::munmap(at.cast(), before);
            }
            let at = at.add(before);
            libc::munmap(at.add(size).cast(), LARGE - before);
            at
        }
    }

    /// A block, of zeros if asked for; null where there is no room.
    pub(super) fn take(size: usize, zeroed: bool) -> *mut u8 {
        let Some(size) = whole(size) else {
            return null_mut();
        };
        let mut books = books();
        let kept = books.best(size).map(|place| books.remove(place));
        books.grow(size);
        drop(books);
        if let Some((at, length)) = kept {
            // SAFETY: a block that was kept, and now is the caller's alone.
            let new = unsafe { move_to(at, length, size) };
            if !new.is_null() {
                if zeroed {
                    // SAFETY: what is beyond the old length comes from the kernel.
                    unsafe { new.write_bytes(0, length.min(size)) };
                }
                return new;
            }
            // SAFETY: it is used by nobody.
            unsafe { libc::munmap(at.cast(), length) };
        }
        let at = place(size);
        if at.is_null() {
            self::books().used -= size;
        } else {
            ask(at, size);
        }
        at
    }

    /// Asks for large pages for what is not touched yet of a long block. Where the kernel has none
    /// to give, small ones do.
    fn ask(at: *mut u8, size: usize) {
        if size >= HUGE {
            // SAFETY: a map of our own; its content stays as it is.
            unsafe { libc::madvise(at.cast(), size, libc::MADV_HUGEPAGE) };
        }
    }

    /// # Safety
    /// `at` is a block of `size` bytes from [`take`] or [`resize`], not used any more.
    pub(super) unsafe fn give(at: *mut u8, size: usize) {
        let Some(size) = whole(size) else {
            return;
        };
        let mut books = books();
        books.used -= size;
        let smallest = (0..MOST_KEPT).min_by_key(|&i| books.blocks[i].1);
        let mut loser = (at, size);
        if let Some(place) = smallest.filter(|&i| books.blocks[i].1 < size) {
            loser = books.remove(place);
            books.blocks[place] = (at.expose_provenance(), size);
            books.kept += size;
        }
        drop(books);
        if loser.1 > 0 {
            // SAFETY: neither the block, as the caller promises, nor what was kept is in use.
            unsafe { libc::munmap(loser.0.cast(), loser.1) };
        }
    }

    /// Its pages are moved, not copied.
    ///
    /// # Safety
    /// As for [`give`]; where the answer is null, the block is as it was.
    pub(super) unsafe fn resize(at: *mut u8, from: usize, to: usize) -> *mut u8 {
        let (Some(from), Some(to)) = (whole(from), whole(to)) else {
            return null_mut();
        };
        let mut books = books();
        books.grow(to.saturating_sub(from));
        books.used -= from.saturating_sub(to);
        drop(books);
        // SAFETY: as the caller promises.
        let new = unsafe { move_to(at, from, to) };
        if new.is_null() {
            let mut books = self::books();
            books.used = books.used + from - to;
        }
        new
    }

    /// A block of another length, of whole pages both.
    ///
    /// # Safety
    /// As for [`resize`].
    unsafe fn move_to(at: *mut u8, from: usize, to: usize) -> *mut u8 {
        if from == to {
            return at;
        }
        // SAFETY: as the caller promises; in place.
        if unsafe { libc::mremap(at.cast(), from, to, 0) } != libc::MAP_FAILED {
            ask(at, to);
            return at;
        }
        let new = place(to);
        if new.is_null() {
            return new;
        }
        // SAFETY: the new place is a map of our own that nobody has seen, which the old one
        // replaces.
        let moved = unsafe {
            let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
            libc::mremap(at.cast(), from, to, flags, new.cast::<libc::c_void>())
        };
        if moved == libc::MAP_FAILED {
            // SAFETY: the map from `place`, which is still unseen.
            unsafe { libc::munmap(new.cast(), to) };
            return null_mut();
        }
        ask(new, to);
        new
    }
}

/// Elsewhere no block is large.
#[cfg(not(target_os = "linux"))]
#[allow(unsafe_code)]
mod kernel {
    use std::ptr::null_mut;

    pub(super) fn take(_: usize, _: bool) -> *mut u8 {
        null_mut()
    }

    /// # Safety
    /// None.
    pub(super) unsafe fn give(_: *mut u8, _: usize) {}

    /// # Safety
    /// None.
    pub(super) unsafe fn resize(_: *mut u8, _: usize, _: usize) -> *mut u8 {
        null_mut()
    }
}

#[cfg(test)]
#[allow(unsafe_code)]
mod tests {
    use super::*;

    /// Sizes around the bound, and far beyond it.
    const SIZES: [usize; 7] = [
        1,
        4096,
        LARGE - 1,
        LARGE,
        LARGE + 1,
        3 * LARGE - 4096,
        9 * LARGE + 5,
    ];

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).unwrap()
    }

    /// Writes a value that tells of its place to some places of a block.
    unsafe fn mark(at: *mut u8, size: usize) {
        for i in (0..size).step_by(997) {
            // SAFETY: within the block.
            unsafe { at.add(i).write(i as u8 | 1) };
        }
    }

    unsafe fn is_marked(at: *mut u8, size: usize) -> bool {
        // SAFETY: within the block.
        let marked = |i: usize| unsafe { at.add(i).read() } == i as u8 | 1;
        (0..size).step_by(997).all(marked)
    }

    #[test]
    fn blocks_keep_their_content_when_they_change_size() {
        for from in SIZES {
            for to in SIZES {
                // SAFETY: every block is given back with the layout that it has then.
                unsafe {
                    let at = Memory.alloc(layout(from));
                    mark(at, from);
                    let at = Memory.realloc(at, layout(from), to);
                    assert!(is_marked(at, from.min(to)), "{from} to {to}");
                    mark(at, to);
                    assert!(is_marked(at, to));
                    Memory.dealloc(at, layout(to));
                }
            }
        }
    }

    #[test]
    fn blocks_of_zeros_hold_zeros() {
        for size in SIZES {
            // SAFETY: as above.
            unsafe {
                let at = Memory.alloc(layout(size));
                mark(at, size);
                Memory.dealloc(at, layout(size));
                let at = Memory.alloc_zeroed(layout(size));
                assert!((0..size).all(|i| at.add(i).read() == 0));
                Memory.dealloc(at, layout(size));
            }
        }
    }

    #[test]
    fn what_no_machine_has_is_refused() {
        let most = isize::MAX as usize - 4096;
        // SAFETY: nothing was given, the old block is given back.
        unsafe {
            assert!(Memory.alloc(layout(most)).is_null());
            let at = Memory.alloc(layout(LARGE));
            assert!(Memory.realloc(at, layout(LARGE), most).is_null());
            mark(at, LARGE);
            Memory.dealloc(at, layout(LARGE));
        }
    }
}
