//! HD020 to HD039: patterns of allocation.

use super::Rule;

/// The same payload twice at the peak: as pieces and as one block.
pub static DOUBLE_BUFFER: Rule = Rule {
    id: "HD020",
    name: "double-buffer",
    text:
        "At the program's peak one function holds the same number of bytes twice: as many pieces \
and as one block of their size, which is what a list of chunks and its join look like. The pieces \
have to be made by the function itself or by a sibling that the same caller calls, they have to be \
eight or more for every block, of 1 KiB or more on average, and together they have to be as large \
as the block or at most 4 % larger (a header for each piece). The block is the payload. How many \
requests were under way at the peak is said by PATH@runs=10,concurrent=10, else taken for one \
where there is one block. Read from peak_bytes and peak_blocks, whichever metric is compared.

Refuted by a payload of another size for which pieces and block do not grow alike: then two \
buffers happened to be of one size. Captures that disagree so are not accused.

Write the pieces straight into one buffer of the final size (half of it is saved), or read them as \
a stream and never hold the payload (nearly all is saved).",
};

/// A level that follows a count of failures.
pub static RISES_WITH_FAILURES: Rule = Rule {
    id: "HD021",
    name: "rises-with-failures",
    text: "The captures name a driver that counts failures (failures, errors, retries, timeouts: \
PATH@runs=60,failures=6), and the site holds more by the same amount for each of them: what \
failed is put back. Growth in every interval has to agree within 2 %. The finding adds the sites \
up (--group-by label:KEY does so by label, such as a measurement), and says whether the level \
stays at a cap in the last captures or whether no cap was seen.

Refuted by captures in which the failures go on and the level stays, or in which it rises without \
them; where runs and failures rise at one rate, captures of another rate tell them apart.

Bound what is put back, count the retries, drop after the last, and reset the count on success.",
};

/// Held long after it was filled, and let go of only when it fills again.
pub static LATE_RELEASE: Rule = Rule {
    id: "HD022",
    name: "late-release",
    text:
        "In the moments of one recording (PATH#every=1MB) a site fills with 1,000 blocks or more, \
holds all of them without any change while the program goes on allocating, for at least four \
moments and a tenth of the recording, then lets go of them, and fills again: a batch that \
is kept until the next one comes. The last batch is still there at the end.

Refuted by work that reads the batch during that time; a recording cannot see reading.

Let go of the batch when its work is done, not when the next one is stored in its place.",
};

/// Blocks that are freed again at once.
pub static CHURN: Rule = Rule {
    id: "HD023",
    name: "temporary-allocations",
    text: "Most blocks that the site allocates are freed again before it (heaptrack: the program; \
memray: its thread) allocates anything else. This is no leak and costs no memory, only time: a \
buffer that is kept and reused avoids it. Told where total_* or temporary_blocks are compared.

Refuted by a recording in which the site's share of time is small.",
};

/// A level that rises evenly and then stays.
pub static CAPPED: Rule = Rule {
    id: "HD024",
    name: "rises-to-a-cap",
    text:
        "The site holds more by the same amount on every run in the earlier captures, and exactly \
the same in the later ones, after runs that would have made it half as large again: a buffer, \
cache or queue that is full. It is no leak, but its cap is part of what the program needs.

Refuted by a later capture in which the level rises again.",
};
