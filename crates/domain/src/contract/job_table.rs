//! Names in the job table that both the stack and the functions use.

/// The partition key of the table.
pub const PARTITION_KEY: &str = "job_name";
/// The attribute that holds when an item expires, in seconds since 1970.
pub const TIME_TO_LIVE: &str = "expires_at";
/// The key of the item with the slots of the executions that uploads start.
pub const UPLOAD_SLOTS: &str = "uploads/slots";
/// What the keys of the items with the places of batch jobs begin with; the id of the model follows.
pub const JOB_PLACES_PREFIX: &str = "job_places/";

/// A secondary index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: &'static str,
    /// Its partition key.
    pub partition_key: &'static str,
    /// Its sort key.
    pub sort_key: &'static str,
    /// Its purpose.
    pub doc: &'static str,
}

/// The jobs of a run.
pub const RUN_INDEX: Index = Index {
    name: "run-index",
    partition_key: "run_id",
    sort_key: "job_index",
    doc: "Jobs of a run, in the order of their numbers.",
};
/// The open jobs.
pub const OPEN_INDEX: Index = Index {
    name: "open-index",
    partition_key: "open",
    sort_key: "updated_at",
    doc: "Open jobs by their last update. Sparse: `open` is removed when a job is over.",
};
