//! Incidents and healthy services with a known truth.

mod generator;
mod healthy;
mod program;
mod rates;
mod requests;
