//! HD040 to HD059: object graphs.

use super::Rule;

/// A kind of cycle whose number grows with every run.
pub static GROWING_CYCLE: Rule = Rule {
    id: "HD040",
    name: "growing-cycle",
    text:
        "After every run there are more cycles of one kind: objects that refer to each other in a \
ring. Where references are counted (CPython), a ring is never freed by counting: it waits for the \
cyclic collector, for ever if that is off. Where a collector traces from roots (V8, the JVM, Ruby, \
Go), a ring by itself keeps nothing: something holds it, and that is named.

Cut the reference that is named. The bytes it frees were counted by taking the references out and \
marking what is left. A typical ring is an exception that is stored with its traceback: the \
traceback holds the frame, the frame holds the object that stores the exception. \
error.with_traceback(None) before it is stored lets go of all frames.

Refuted by a later capture with no more of them.",
};

/// A path whose objects become more with every run.
pub static GROWING_HOLDER: Rule = Rule {
    id: "HD041",
    name: "growing-holder",
    text: "The objects at one path from a root become more with every run: what is held there is \
added and never removed. The path is the first one that grows; all below it grows because of it. \
Paths are compared without the identity of objects, so that addresses may change; content of a \
container counts as one.

The leak share divides what several holders hold among them, the exclusive bytes are what this one \
alone holds. Refuted by a later capture in which the number of objects stays level: a bounded cache \
that is not full yet looks the same.",
};

/// Objects that the collector cannot free.
pub static UNCOLLECTABLE: Rule = Rule {
    id: "HD042",
    name: "uncollectable",
    text: "The collector has put objects aside that it can never free (gc.garbage in CPython). They \
stay until the process ends, whatever the program does. Take the objects out of the list and break \
what ties them: usually a class of an extension module whose objects cannot be cleared.",
};

/// A type whose objects become more, at no path that grows.
pub static GROWING_TYPE: Rule = Rule {
    id: "HD043",
    name: "growing-type",
    text: "The objects of a type become more with every run, but no single path grows: they are held \
from different places, or by something that the capture does not show. Look at where they are held \
with --path-to TYPE.",
};

/// Cycles that wait for a collector that is on.
pub static CYCLE_WAITS: Rule = Rule {
    id: "HD044",
    name: "cycle-waits",
    text: "Nothing holds these cycles: they wait for the cyclic collector, which is on. That is \
latency and no leak: memory stays longer than it has to, by as much as comes up between two \
collections. It matters where the objects are large, or where collections are rare (gc.freeze, high \
thresholds). Breaking the cycle frees them at once.

Capture once more after a full collection: what is left then is held by something.",
};

/// What cycles a single capture holds.
pub static CYCLES_PRESENT: Rule = Rule {
    id: "HD045",
    name: "cycles-present",
    text: "The capture holds cycles of the program's own objects. One capture shows what is there, not \
what grows: capture again after more runs, each with its number of runs, and compare: \
heapdiff cycles A@10 B@20 C@40.",
};
