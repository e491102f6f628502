//! Requests that coincide with growth: growth per minute regressed on every endpoint's load at once.

mod attribute;
mod fold;
mod log;
mod solve;

pub use attribute::{Attribution, Coincidence, Moment, Untested};
pub use log::Load;
pub(crate) use log::RequestLog;

use super::curve::Curve;
use crate::model::Time;

/// What is known of one endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointFacts {
    /// Method and folded path.
    pub name: String,
    /// The path without method, ending and query: endpoints of one family share it.
    pub family: String,
    /// Requests.
    pub count: u64,
    /// Those that failed (status 500 and above).
    pub errors: u64,
    /// Those that timed out upstream.
    pub timeouts: u64,
    /// Median duration in seconds, where the log says.
    pub p50_s: Option<f64>,
    /// The 99th percentile.
    pub p99_s: Option<f64>,
    /// The longest.
    pub max_s: Option<f64>,
    /// What happened when, in windows of [`Requests::window_s`] that hold any, by time.
    pub windows: Vec<Load>,
}

/// Every request log of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Requests {
    /// Requests in all.
    pub total: u64,
    /// The first and last.
    pub span: (Time, Time),
    /// Width of the endpoints' windows, in seconds.
    pub window_s: i64,
    /// Endpoints, most requested first, the rare ones as `other`.
    pub endpoints: Vec<EndpointFacts>,
    /// What coincides with the growth of each series that was looked at: the series by position.
    pub attributions: Vec<(usize, Attribution)>,
}

/// Closes the log and holds it against the growth of the curves at the positions `judged`.
pub(super) fn requests(
    mut log: RequestLog,
    curves: &[Curve],
    judged: &[usize],
) -> Option<Requests> {
    log.finish();
    let span = log.span?;
    let attributions = judged
        .iter()
        .filter_map(|&at| Some((at, attribute::attribute(&log, &curves[at])?)))
        .collect();
    let endpoints = log
        .endpoints
        .into_iter()
        .map(|e| EndpointFacts {
            name: e.name.clone(),
            family: fold::family(&e.name),
            count: e.count,
            errors: e.errors,
            timeouts: e.timeouts,
            p50_s: e.quantile(0.5),
            p99_s: e.quantile(0.99),
            max_s: (e.timed > 0).then_some(e.longest),
            windows: e.loads,
        })
        .collect();
    Some(Requests {
        total: log.total,
        span,
        window_s: log.window_s,
        endpoints,
        attributions,
    })
}
