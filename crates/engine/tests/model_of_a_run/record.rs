//! Records as the world receives them.

use bedrock_batch_domain::record_id::RequestId;
use serde_json::Value;

/// Record as it was sent.
pub(crate) struct Record {
    pub(crate) id: String,
    /// Ids of its rows.
    pub(crate) rows: Vec<String>,
}

impl Record {
    /// Reads a line. The text of a row is `row 7`; a request of several rows has lines such as `<1:row 7>`.
    pub(crate) fn read(line: &str, has_several_rows: bool) -> Self {
        let line: Value = serde_json::from_str(line).unwrap();
        let id = line["recordId"].as_str().unwrap().to_owned();
        if !has_several_rows {
            return Self { rows: vec![id.clone()], id };
        }
        let text = line["modelInput"]["messages"][0]["content"][0]["text"].as_str().unwrap();
        let row = |(number, text): (usize, &str)| {
            let row = text.strip_prefix(&format!("<{number}:row ")).unwrap().strip_suffix('>').unwrap();
            format!("r{:09}", row.parse::<u64>().unwrap())
        };
        let rows: Vec<String> = (1..).zip(text.strip_prefix("All:\n").unwrap().lines()).map(row).collect();
        assert_eq!(RequestId::parse(&id), Some(RequestId { first: &rows[0], rows: rows.len() }));
        Self { id, rows }
    }
}
