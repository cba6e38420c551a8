//! Specification of the chunks to write, and the result of writing them.

use bedrock_batch_domain::chunk_plan::ChunkLimits;
use bedrock_batch_domain::layout::Layout;
use bedrock_batch_domain::model::RecordWriter;
use bedrock_batch_domain::row_error::Reason;
use std::collections::BTreeMap;

/// Format, keys and limits of the chunks to write.
#[derive(Debug)]
pub struct ChunkWriteSpec<'a> {
    /// Keys of the files.
    pub layout: &'a Layout,
    /// Writers of records, by the number of the prompt.
    pub records: &'a [RecordWriter],
    /// Limits of a chunk.
    pub limits: ChunkLimits,
    /// Maximum number of bytes per line; longer lines are not sent.
    pub max_record_bytes: u64,
    /// Number of rows.
    pub rows: u64,
    /// If true, rows with the same model input are sent once.
    pub deduplicate: bool,
    /// Number of rows that yield a line, if known.
    pub lines: Option<u64>,
}

/// Result of writing chunks.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Written {
    /// Number of records of each chunk.
    pub chunks: Vec<u32>,
    /// Number of rows that were read.
    pub rows: u64,
    /// Number of rows in the rows files without a record, by reason.
    pub rejected: BTreeMap<Reason, u64>,
    /// Number of rows that were omitted because of the maximum number of chunks.
    pub over_max_chunks: u64,
    /// Number of null or empty cells in columns that the prompt inserts.
    pub empty_cells: u64,
    /// Number of cells that are no number (`NaN`), in columns of floating-point numbers that the prompt inserts.
    pub not_a_number: u64,
    /// Number of times that no calendar has, in columns that the prompt inserts.
    pub not_representable: u64,
    /// Number of images that are sent and that viewers turn, as their Exif data says.
    pub turned_images: u64,
    /// Number of images that are sent and have several frames.
    pub animated_images: u64,
    /// Positions of the chunks' first rows.
    pub first_rows: Vec<u64>,
    /// Number of rows of each file of rows that were set aside: duplicates, and rows that are not sent if a chunk would have
    /// too many of them.
    pub duplicates: Vec<u32>,
    /// Number of duplicates.
    pub same: u64,
    /// Number of rows that were not remembered, so that their duplicates are sent too.
    pub forgotten: u64,
}

impl Written {
    /// Returns true if the records are too few for a batch job, would be enough with the duplicates, and the duplicates are
    /// not more rows than those that are sent. `per_request` is the maximum number of rows per record.
    pub(in crate::preprocess) fn too_few_without_duplicates(&self, minimum: u32, per_request: u32) -> bool {
        let (minimum, per_request) = (u64::from(minimum), u64::from(per_request));
        let records: u64 = self.chunks.iter().map(|records| u64::from(*records)).sum();
        let rejected: u64 = self.rejected.values().sum();
        let sent = self.rows.saturating_sub(rejected + self.same + self.over_max_chunks);
        records < minimum && (sent + self.same).div_ceil(per_request) >= minimum && self.same <= sent
    }
}
