//! The five components of a prompt. All but the first one make the user message, in this order.

mod bullets;
mod categories;
mod input;
mod instructions;
mod output_format;
mod system_prompt;
mod wording;

pub(super) use categories::categories;
pub(super) use input::input;
pub(super) use instructions::instructions;
pub(super) use output_format::output_format;
pub(super) use system_prompt::system_prompt;
