//! HD001 to HD019: growth of allocation sites.

use super::Rule;

/// A site that keeps about the same on every run.
pub static STEADY_GROWTH: Rule = Rule {
    id: "HD001",
    name: "steady-growth",
    text: "The site holds more after every run, by about the same amount: it keeps something of \
each run. With exact captures (DHAT, heaptrack, memray) three or more are enough, and growth per \
run has to agree in every interval; where it agrees within 2 % or one block the finding says \
\"exact\". From five captures on a test has to reject chance, and the shape of growth has to beat \
a step, a warm-up and a sawtooth.

Refuted by a later capture in which the site stays level: a cache that fills looks the same until \
it is full. Capture again after twice as many runs.",
};

/// A site that keeps more on every run than on the one before.
pub static ACCELERATING: Rule = Rule {
    id: "HD002",
    name: "accelerating",
    text: "The site holds more after every run, and by more each time: what it keeps grows with \
what is already there (a retried batch that is retried whole, a list that is copied into itself), \
or the load grew between the captures.

Refuted by captures under constant load that grow evenly.",
};

/// A site that grew between two captures.
pub static GREW: Rule = Rule {
    id: "HD003",
    name: "grew",
    text: "The site holds more in the later of two captures. Two captures are a difference, never \
a trend: it may be a leak, a cache that fills, or work that was under way.

Capture once more after more runs, and compare all three with their numbers of runs: \
heapdiff compare A@50 B@200 C@800.",
};

/// Growth of every run, on the path that every run takes.
pub static HOT_PATH: Rule = Rule {
    id: "HD006",
    name: "hot-path",
    text: "The leak is on the path that every run takes: the site keeps at least one block for \
every run, in every interval. Leaks on error paths are rarer than runs and uneven between \
captures; they are worth fixing, but fixing them does not stop this growth.

The share kept says how much of what the site allocates it never frees: 100 % is a missing free \
or a container that is only added to; a small share is a pool or a cache that lets go of most.",
};

/// A site that grows more per run than before a change.
pub static GROWS_MORE: Rule = Rule {
    id: "HD004",
    name: "grows-more",
    text:
        "The site keeps more on every run than it did on the base side. Both sides are series of \
captures; their growth per run is compared with the noise of both: captures that count every \
allocation must differ by more than 2 % and one block, samples and noisy captures by a test at \
0.01, corrected for the number of sites.

Refuted by a repetition of both sides whose growth per run agrees: another load, another order of \
the runs or a cache that was warm on one side alone looks the same.",
};

/// Growth on a path that few runs take.
pub static ERROR_PATH: Rule = Rule {
    id: "HD007",
    name: "error-path",
    text: "The site keeps a block on few runs only: fewer than one run in four. So do error paths \
(a malformed line, a timeout, a refused connection), retries and other rare branches that forget \
to free something. They are worth fixing, but they do not explain growth on every run: look at the \
hot path first.

Refuted by growth that keeps pace with the runs once more of them take this path: capture under a \
load with more errors, and compare the blocks per run.",
};
