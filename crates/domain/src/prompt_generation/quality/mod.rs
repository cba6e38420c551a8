//! Quality of a prompt: what is thin, ambiguous or contradictory in its definitions.

mod categories;
mod examples;
mod issue;
mod other_components;
mod overlap;
mod report;
mod words;

pub(super) use report::quality;
pub use report::{ComponentQuality, Quality};
