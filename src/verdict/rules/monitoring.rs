//! HD060 to HD079: monitoring.

use super::Rule;

/// A service that gathers memory.
pub static MEMORY_GROWTH: Rule = Rule {
    id: "HD060",
    name: "memory-growth",
    text: "The service gathers memory and does not give it back. Two tests lead here. A rate over \
the whole span is significant beside a daily rhythm, with errors that honour autocorrelation, after \
correction for every series that was judged. Or an episode: the curve is cut into straight lines, a \
rise of half an hour or more is significant, and at least half of what it gained is new ground that \
is never given back. A wave, a saw-tooth, a burst and a restart keep nothing, a warm-up stops by \
itself; none of them is an episode.

Severity is the highest of three: by rate (50, 200, 500 MB an hour), by factor (1.5 or 4 times a \
day), by the time until --memory-limit (72, 24, 2 hours). severity_by names the one that decided.

Refuted by a later day in which the level returns to where it was. With less than a day of one \
process a daily wave cannot be ruled out, and the finding says so. Capture heap profiles before and \
after some work and compare them: heapdiff compare A@0 B@1000.",
};

/// A leak that an hour does not show.
pub static HIDDEN_GROWTH: Rule = Rule {
    id: "HD061",
    name: "hidden-growth",
    text: "The service looks flat over an hour and grows over the day: the growth of an hour is \
smaller than the collector's saw-tooth or the noise, so dashboards of short windows show nothing. \
The rate comes from all samples together, with the teeth taken out by looking at their floor.

Refuted as memory-growth is: by a day in which the level returns.",
};

/// A climb that restarts hide.
pub static HIDDEN_BY_RESTARTS: Rule = Rule {
    id: "HD062",
    name: "hidden-by-restarts",
    text: "Each process climbs, and restarts give the memory back before it is noticed. The rate is \
growth with the age of the process. A drop at a restart is never counted as a release of the program.

Refuted by a process that is left to run and levels off.",
};

/// Several services at once.
pub static SEVERAL_SERVICES: Rule = Rule {
    id: "HD063",
    name: "several-services",
    text: "Several services gather memory at the same time: for at least half of the shorter of \
their episodes. Look for what they share: a client library, a message that all receive, a dependency \
that stalls so that all of them queue.

Refuted if their loads have nothing in common.",
};

/// Descriptors, sockets, threads or processes that only rise.
pub static HANDLES_RISE: Rule = Rule {
    id: "HD065",
    name: "handles-rise",
    text: "Open descriptors, sockets, threads or processes rise and do not come back. The test is \
the one for memory: significance after correction, and new ground that is kept. Each holds kernel \
memory, and a limit (ulimit -n, pids.max) ends the service before memory does.

Refuted by a later day in which the number returns. Count them by kind: ls -l /proc/PID/fd.",
};

/// Requests whose load growth coincides with.
pub static REQUESTS_COINCIDE: Rule = Rule {
    id: "HD066",
    name: "requests-coincide",
    text: "Growth from minute to minute goes with this endpoint's load, with the load of all other \
endpoints, a lag of a minute either way and a daily rhythm in the same regression, and after \
correction for the number of endpoints (q below 0.001). bytes_per_request is the sum over the lags, \
with an interval. An endpoint whose load comes after the growth is a victim and not reported; \
endpoints that always run together are named together.

This is correlation, not cause. Refuted if growth goes on while the endpoint is idle, or stays away \
when it alone is run. Capture before and after some of these requests and compare.",
};

/// Work that waits and does not return to zero.
pub static STUCK_WORK: Rule = Rule {
    id: "HD067",
    name: "stuck-work",
    text: "A number that returned to zero before (retries in progress, a queue, requests in flight) \
has stayed above zero for hours until the end. What it counts is held, and so is the memory behind it.

Refuted if it returns to zero by itself, or if the load is such that it is never empty now.",
};

/// Lines of logs far above their own normal.
pub static EVENT_BURST: Rule = Rule {
    id: "HD068",
    name: "event-burst",
    text: "Lines of one pattern are far more than around that time of the day: at least twice, at \
least ten, and beyond what counts of that scatter give by chance. Sparse patterns burst by chance, \
so this is a note that dates an incident, never an accusation.",
};

/// What a mark changed.
pub static MARK: Rule = Rule {
    id: "HD069",
    name: "mark",
    text: "Rates before and after a moment that was given with --mark, in one fit with a shared \
daily rhythm. cured: there was growth and it is gone; reduced; worse; cannot-tell where these hours \
do not tell one from the other, with the number of hours that would. Intervals are of 99 %.",
};
