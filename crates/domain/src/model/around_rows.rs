//! The text around the rows of a request.

use crate::json_text::push_escaped;
use crate::prompt::{Piece, Template};

/// Text around the rows of a request, already escaped. Without a part that is repeated, there is none.
#[derive(Debug, Clone, Default)]
pub(super) struct AroundRows {
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
    /// Maximum number of rows; `None` for a template without such a part.
    pub(super) max_rows: Option<usize>,
}

impl AroundRows {
    /// Creates the text around the only placeholder of `outer`, that of the rows.
    pub(super) fn new(outer: &Template, max_rows: usize) -> Self {
        let mut around = Self { max_rows: Some(max_rows.max(1)), ..Self::default() };
        let mut is_after = false;
        for piece in outer.pieces() {
            match piece {
                Piece::Literal(text) => {
                    push_escaped(if is_after { &mut around.after } else { &mut around.before }, text);
                }
                Piece::Column(_) => is_after = true,
            }
        }
        around
    }
}
