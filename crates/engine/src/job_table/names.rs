//! Names that the stack gives to the keys and indexes of the table.

/// The partition key of the table.
pub(super) const PARTITION_KEY: &str = "job_name";
/// The attribute that holds when an item expires, in seconds since 1970.
pub(super) const TIME_TO_LIVE: &str = "expires_at";

/// A secondary index.
pub(super) struct Index {
    pub(super) name: &'static str,
    pub(super) partition_key: &'static str,
    pub(super) sort_key: &'static str,
}

/// The jobs of a run, in the order of their numbers.
pub(super) const RUN_INDEX: Index = Index { name: "run-index", partition_key: "run_id", sort_key: "job_index" };
/// Open jobs by their last update. Sparse: `open` is removed when a job is over.
pub(super) const OPEN_INDEX: Index = Index { name: "open-index", partition_key: "open", sort_key: "updated_at" };
