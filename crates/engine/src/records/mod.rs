//! Records of rows: the writers of a run's prompts, and the cells that they insert. Preprocess writes all records, and
//! postprocess those of rows that are sent again without the other rows of their request.

mod cells;
mod writers;

pub(crate) use cells::{RowCells, cells_of};
pub(crate) use writers::{RunWriters, record_writers};
