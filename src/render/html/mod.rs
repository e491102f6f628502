//! The whole analysis as one HTML file that opens from disk, without a network, and can be read
//! without scripts.
//!
//! What people read first is markup; the pictures and the long table are drawn by the page's own
//! script from data in the same file. The numbers are those of the JSON document, which the file
//! carries too.

mod bundle;
mod escape;
mod frame;
mod pages;
mod sites;
mod sites_summary;
mod view;

use crate::input::FileFacts;
use crate::render::Style;

pub use pages::write as write_document;
pub use sites::write;

/// The text that a page holds and is made from: nothing cut to a terminal's width.
pub const STYLE: Style = Style {
    color: false,
    width: 160,
    exact: false,
    limit: None,
    quiet: false,
    verbose: false,
};

/// What a page says of where it comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The command line, without its outputs.
    pub command: String,
    /// The files that were read.
    pub files: Vec<FileFacts>,
}
