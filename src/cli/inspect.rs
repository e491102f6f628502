//! `heapdiff inspect`.
use super::args::InspectArgs;
use super::run::Terminal;
use crate::error::Result;
pub(super) fn inspect(_: &InspectArgs, _: &Terminal) -> Result<u8> {
    Ok(0)
}
