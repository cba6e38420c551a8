//! The quotas of a batch job.
//!
//! AWS does not say whether a GB is 10^9 or 2^30 bytes; here it is the smaller.

/// Minimum number of records in a job.
pub(crate) const FEWEST_RECORDS: u64 = 100;
/// Maximum number of records in a job, and in a file.
pub(crate) const MAX_RECORDS: u64 = 100_000;
/// Maximum size of a file.
pub(crate) const LARGEST_FILE_BYTES: u64 = 1_000_000_000;

/// Checks the sizes of the files, which are known before they are read.
pub(crate) fn check_sizes(files: &[(&str, u64)], largest_job: u64) -> Result<(), String> {
    if let Some((name, bytes)) = files.iter().find(|(_, bytes)| *bytes > LARGEST_FILE_BYTES) {
        return Err(format!(
            "Input file {name} is larger ({bytes} bytes) than the allowed maximum of: {LARGEST_FILE_BYTES} bytes"
        ));
    }
    let total: u64 = files.iter().map(|(_, bytes)| *bytes).sum();
    if total > largest_job {
        return Err(format!("Batch job is larger ({total} bytes) than the allowed maximum of: {largest_job} bytes"));
    }
    Ok(())
}

/// Checks the number of records of a job. The first message is AWS's own.
pub(crate) fn check_records(files: &[(&str, u64)]) -> Result<(), String> {
    if let Some((name, records)) = files.iter().find(|(_, records)| *records > MAX_RECORDS) {
        return Err(format!(
            "Input file {name} contains more records ({records}) than the allowed maximum of: {MAX_RECORDS}"
        ));
    }
    let total: u64 = files.iter().map(|(_, records)| *records).sum();
    if total < FEWEST_RECORDS {
        return Err(format!(
            "Batch job contains less records ({total}) than the required minimum of: {FEWEST_RECORDS}"
        ));
    }
    if total > MAX_RECORDS {
        return Err(format!("Batch job contains more records ({total}) than the allowed maximum of: {MAX_RECORDS}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GB: u64 = 1_000_000_000;

    #[test]
    fn sizes_are_limited_by_file_and_by_job() {
        assert_eq!(check_sizes(&[("a", GB), ("b", GB)], 5 * GB), Ok(()));
        assert!(check_sizes(&[("a", 1), ("b", GB + 1)], 5 * GB).unwrap_err().contains("file b"));
        let six = [("a", GB), ("b", GB), ("c", GB), ("d", GB), ("e", GB), ("f", 1)];
        assert!(check_sizes(&six, 5 * GB).unwrap_err().starts_with("Batch job is larger (5000000001 bytes)"));
        assert_eq!(check_sizes(&six, 100 * GB), Ok(()));
    }

    #[test]
    fn records_are_limited_from_both_sides() {
        assert_eq!(check_records(&[("a", 100)]), Ok(()));
        assert_eq!(check_records(&[("a", 60), ("b", 40)]), Ok(()));
        assert_eq!(check_records(&[("a", 100_000)]), Ok(()));
        assert_eq!(
            check_records(&[("a", 1)]).unwrap_err(),
            "Batch job contains less records (1) than the required minimum of: 100"
        );
        assert!(check_records(&[]).unwrap_err().contains("(0)"));
        assert!(check_records(&[("a", 100_001)]).unwrap_err().contains("file a"));
        assert!(check_records(&[("a", 60_000), ("b", 40_001)]).unwrap_err().starts_with("Batch job contains more"));
    }
}
