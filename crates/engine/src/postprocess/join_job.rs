//! The parameters of a join.

use super::answers::Reading;
use crate::rows::csv_write::CsvStyle;
use bedrock_batch_domain::columns::Column;
use bedrock_batch_domain::extract::ColumnType;
use bedrock_batch_domain::input::OutputFormat;
use bedrock_batch_domain::model::Family;

/// Join, with the files that it writes.
#[derive(Debug)]
pub struct JoinJob<'a> {
    /// Format of the answers.
    pub family: Family,
    /// Rules by which answers are read.
    pub reading: Reading<'a>,
    /// Columns of the input, with their origins.
    pub columns: &'a [Column],
    /// If true, the ids of rows have a suffix that distinguishes them, and that is removed from the output.
    pub strip_suffix: bool,
    /// Types of the fields' columns; without them, those of the chunk's own values.
    pub types: Option<&'a [ColumnType]>,
    /// Prefix of the columns that answers add. Only with one, even an empty one, do they have a status.
    pub prefix: Option<&'a str>,
    /// Options of CSV files.
    pub csv: CsvStyle,
    /// Formats and keys of the files to write.
    pub outputs: &'a [(OutputFormat, String)],
    /// Ids of rows whose answers rows of other chunks wait for, and the key of the file for these answers.
    pub shared: Option<(&'a [String], &'a str)>,
}

impl<'a> JoinJob<'a> {
    /// Creates a join with no option set: all columns are of the input, and those of fields get the types of their values.
    pub fn new(family: Family, reading: Reading<'a>, outputs: &'a [(OutputFormat, String)]) -> Self {
        Self {
            family,
            reading,
            columns: &[],
            strip_suffix: false,
            types: None,
            prefix: None,
            csv: CsvStyle::default(),
            outputs,
            shared: None,
        }
    }
}
