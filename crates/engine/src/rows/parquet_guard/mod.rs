//! Protection against Parquet files that are small but expand: everything that a header declares is compared with a limit before
//! the reader allocates memory for it.

mod caught;
mod footer;
mod page_budget;
mod page_header;
mod thrift;
mod unpacked_size;

pub(super) use caught::caught;
pub(super) use footer::check_footer;
pub(super) use page_budget::{MAX_PAGE_BYTES, PageBudget};
