//! Datasets of the Hugging Face Hub: their names, the paths of its API, its listings and its refusals. The requests are sent
//! elsewhere.

mod address;
mod choose;
mod names;
mod own_files;
mod refusal;
mod source;
mod tree;

pub use address::{CONVERTED, file_path, revision_path, shown, tree_path};
pub use choose::{Split, choose_config, choose_split, parquet_of_split};
pub use own_files::own_split;
pub use refusal::{Refused, Subject, refusal};
pub use source::{DEFAULT_SPLIT, DatasetSource};
pub use tree::{TreeEntry, read_revision, read_tree};
