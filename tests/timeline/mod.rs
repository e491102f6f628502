//! Incidents and healthy services with a known truth.

mod generator;
mod healthy;
mod layouts;
mod program;
mod rates;
mod recorded;
mod requests;
mod shown;
