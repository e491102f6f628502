//! What a judgement says: the class, and why.

/// What a series does along the runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// Grows by the same amount per run. A leak.
    SteadyGrowth,
    /// Grows faster and faster. A leak.
    Accelerating,
    /// Changed its level once, or a container whose content cannot be told.
    Step,
    /// Rises and settles.
    WarmUp,
    /// Rises and falls back again and again.
    Sawtooth,
    /// Does not change beyond its noise.
    Stable,
    /// Falls.
    Shrinking,
    /// Changes, in none of these ways.
    Irregular,
    /// Cannot be told from these captures.
    #[default]
    Undetermined,
}

impl Class {
    /// All nine, in the order of the documents.
    pub const ALL: [Class; 9] = [
        Class::SteadyGrowth,
        Class::Accelerating,
        Class::Step,
        Class::WarmUp,
        Class::Sawtooth,
        Class::Stable,
        Class::Shrinking,
        Class::Irregular,
        Class::Undetermined,
    ];

    /// The name in documents, e.g. `steady-growth`.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::SteadyGrowth => "steady-growth",
            Class::Accelerating => "accelerating",
            Class::Step => "step",
            Class::WarmUp => "warm-up",
            Class::Sawtooth => "sawtooth",
            Class::Stable => "stable",
            Class::Shrinking => "shrinking",
            Class::Irregular => "irregular",
            Class::Undetermined => "undetermined",
        }
    }

    /// Whether the class is one of the two that are leaks.
    pub fn is_leak(self) -> bool {
        matches!(self, Class::SteadyGrowth | Class::Accelerating)
    }
}

/// How much noise the values of the captures carry.
///
/// `Exact` is a property of a format that counts every allocation. Never infer
/// it from the look of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// Every allocation is counted; what varies is the program.
    Exact,
    /// Not known; estimated from the residuals of each model.
    Unknown,
    /// Sampled or replicated, with variances that come with each row (see
    /// [`Row`](super::Row)). `one_process`: the captures are of one process, so
    /// that blocks alive in two of them are the same samples.
    Known {
        /// Whether the captures are of one process.
        one_process: bool,
    },
}

/// What a judgement rests on, or why it could not say more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// Nothing to add.
    #[default]
    None,
    /// Exact captures, equal growth per run in every interval.
    Exact,
    /// Significant, and the shape of growth beats its rivals.
    Tested,
    /// A leak that rests on few captures, or growth that a longer warm-up explains as well.
    LikeWarmUp,
    /// Growth that a step explains nearly as well.
    LikeStep,
    /// Growth that a sawtooth explains nearly as well.
    LikeSawtooth,
    /// Growth that an irregular series explains nearly as well.
    LikeIrregular,
    /// The only change is next to the first or last capture.
    EdgeJump,
    /// It grows, but less and less.
    GrowthSlows,
    /// It rises, but not beyond what noise does.
    NotSignificant,
    /// Significant alone, not among so many series.
    NotAfterCorrection,
    /// One process: more captures are not more samples, and the two ends do not differ enough.
    EndsAgree,
    /// Bytes of a constant number of blocks, in jumps that go on.
    Capacity,
    /// The same in jumps that stopped or are too few.
    CapacityUnknown,
    /// Blocks were added at random, at a rate that fits the runs.
    ByChance,
    /// Too few blocks were added to tell.
    FewBlocks,
    /// A warm-up that had not settled at the last capture.
    LongWarmUp,
    /// It settled once the first captures were left behind.
    AfterWarmUp,
    /// It is there from some capture on and constant since.
    Appeared,
    /// It varies more than sampling explains.
    Noisy,
    /// Two captures are a difference, never a trend.
    TwoCaptures,
    /// Three or four captures with noise are too few.
    FewCaptures,
    /// It appeared in one of the last two captures.
    JustAppeared,
    /// The captures do not differ in runs.
    NoRuns,
    /// A value is missing or not a number.
    NotANumber,
}

impl Reason {
    /// The reason in words, to follow the class; empty for [`Reason::None`].
    pub fn words(self) -> &'static str {
        match self {
            Reason::None => "",
            Reason::Exact => "exact",
            Reason::Tested => "tested",
            Reason::LikeWarmUp => "cannot be told from a warm-up longer than the window",
            Reason::LikeStep => "cannot be told from a step",
            Reason::LikeSawtooth => "cannot be told from a sawtooth",
            Reason::LikeIrregular => "cannot be told from irregular changes",
            Reason::EdgeJump => "one jump at the edge of the window",
            Reason::GrowthSlows => "growth slows down",
            Reason::NotSignificant => "rises no more than noise may",
            Reason::NotAfterCorrection => "not significant among so many sites",
            Reason::EndsAgree => "the first and the last capture differ too little",
            Reason::Capacity => "container capacity: bytes of one block, count constant",
            Reason::CapacityUnknown => {
                "container capacity: bytes of one block, count constant, content cannot be told"
            }
            Reason::ByChance => {
                "grows by chance at a rate that fits the runs, \
                 cannot be told from a warm-up longer than the window"
            }
            Reason::FewBlocks => "too few blocks were added to tell",
            Reason::LongWarmUp => "warm-up longer than the window",
            Reason::AfterWarmUp => "tested, after a warm-up",
            Reason::Appeared => "appeared during the window, constant since",
            Reason::Noisy => "noisier than sampling explains",
            Reason::TwoCaptures => "two captures are not a trend",
            Reason::FewCaptures => "too few captures for values with noise",
            Reason::JustAppeared => "appeared too late in the window",
            Reason::NoRuns => "the captures do not differ in runs",
            Reason::NotANumber => "a value is missing",
        }
    }

    /// What to capture next; empty where nothing would help.
    pub fn next_capture(self) -> &'static str {
        match self {
            Reason::LikeWarmUp | Reason::GrowthSlows | Reason::LongWarmUp | Reason::ByChance => {
                "capture again after twice as many runs"
            }
            Reason::LikeStep | Reason::EdgeJump | Reason::JustAppeared | Reason::LikeIrregular => {
                "capture at least three times more, after more runs"
            }
            Reason::LikeSawtooth => "capture more often and at uneven intervals of runs",
            Reason::NotSignificant | Reason::NotAfterCorrection => {
                "capture over more runs: twice the runs are worth four times the captures"
            }
            Reason::EndsAgree => {
                "put more runs between the first and the last capture, or sample more finely"
            }
            Reason::CapacityUnknown => "compare counts, or capture until the next jump",
            Reason::FewBlocks => "leave more runs between the captures",
            Reason::TwoCaptures | Reason::FewCaptures => {
                "capture at least five times, at uneven intervals of runs"
            }
            Reason::NoRuns => "give the number of runs of each capture",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let names: Vec<_> = Class::ALL.iter().map(|c| c.as_str()).collect();
        assert_eq!(
            names.join(" "),
            "steady-growth accelerating step warm-up sawtooth stable shrinking irregular undetermined"
        );
        assert_eq!(Class::ALL.iter().filter(|c| c.is_leak()).count(), 2);
        assert_eq!(std::mem::size_of::<Option<Reason>>(), 1);
    }
}
