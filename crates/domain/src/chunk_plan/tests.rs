use super::*;
use proptest::prelude::*;
use rstest::rstest;

fn limits(min: u32, max: u32, max_bytes: u64) -> ChunkLimits {
    ChunkLimits { min_records: min, max_records: max, max_bytes, max_chunks: None, small_last: false }
}

/// Returns the places of the lines of these rows; `None` is a row without a line.
fn placed(limits: ChunkLimits, rows: &[Option<u64>]) -> Vec<Placed> {
    let mut chunker = Chunker::new(limits, rows.len() as u64);
    let mut out = Vec::new();
    for row in rows {
        match row {
            Some(bytes) => out.extend(chunker.push(*bytes)),
            None => chunker.skip_row(),
        }
    }
    out.extend(chunker.finish());
    out
}

fn sizes(placed: &[Placed]) -> Vec<usize> {
    let mut sizes = Vec::new();
    for p in placed {
        if let Placed::Chunk(index) = p {
            sizes.resize(sizes.len().max(*index as usize + 1), 0);
            sizes[*index as usize] += 1;
        }
    }
    sizes
}

#[rstest]
#[case(2050, &[684, 683, 683])]
#[case(1000, &[1000])]
#[case(1001, &[501, 500])]
#[case(100, &[100])]
fn sizes_are_evened_out(#[case] rows: usize, #[case] expected: &[usize]) {
    assert_eq!(sizes(&placed(limits(100, 1000, 1_000_000), &vec![Some(10); rows])), expected);
}

#[test]
fn rows_without_a_line_leave_no_chunk_under_the_minimum() {
    let mut rows = vec![Some(10); 2050];
    rows[1400..2040].fill(None);
    let sizes = sizes(&placed(limits(100, 1000, 1_000_000), &rows));
    assert_eq!(sizes.iter().sum::<usize>(), 1410);
    assert!(sizes.iter().all(|n| (100..=1000).contains(n)), "{sizes:?}");
}

#[test]
fn lines_beyond_the_maximum_number_of_chunks_are_left_over() {
    let limits = ChunkLimits { max_chunks: Some(2), ..limits(1, 10, 1_000) };
    let placed = placed(limits, &[Some(100); 30]);
    assert_eq!(sizes(&placed), [10, 10]);
    assert_eq!(placed.iter().filter(|p| **p == Placed::OverMaxChunks).count(), 10);
}

#[rstest]
#[case(Some(1), &[100])]
#[case(Some(2), &[83, 37])]
#[case(Some(5), &[40, 40, 40])]
#[case(None, &[40, 40, 40])]
fn a_low_estimate_leaves_no_lines_over(#[case] max_chunks: Option<u32>, #[case] expected: &[usize]) {
    let limits = ChunkLimits { max_chunks, ..limits(1, 100, 1_000) };
    let mut chunker = Chunker::new(limits, 120);
    let mut places = Vec::new();
    for line in 0..120 {
        // There are three times as many lines as expected, at any time.
        chunker.expect(40, 120 - line);
        places.extend(chunker.push(1));
    }
    places.extend(chunker.finish());
    assert_eq!(sizes(&places), expected);
}

#[rstest]
#[case(99, 1000, "at least 100 records per batch job")]
#[case(170, 150, "raise it to 170 or more")]
#[case(5000, 99, "must be at least 100")]
#[case(2000, 102, "")]
fn impossible_limits_are_reported_in_advance(#[case] rows: u64, #[case] max: u32, #[case] expected: &str) {
    let message = limits(100, max, 1_000_000).check(rows).err().map(|p| p.to_string()).unwrap_or_default();
    assert!(message.contains(expected) && message.is_empty() == expected.is_empty(), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn every_line_is_in_exactly_one_chunk_and_all_limits_are_kept(
        min in 1u32..12, wider in 0u32..30, max_bytes in 200u64..2_000, max_chunks in prop::option::of(1u32..5),
        rows in prop::collection::vec(prop::option::weighted(0.8, 1u64..1_000), 0..300), small_last in any::<bool>(),
    ) {
        let limits = ChunkLimits { min_records: min, max_records: min + wider, max_bytes, max_chunks, small_last };
        let longest = Chunker::max_line_bytes(limits);
        let rows: Vec<Option<u64>> = rows.into_iter().map(|row| row.map(|bytes| bytes.min(longest))).collect();
        let lines: Vec<u64> = rows.iter().flatten().copied().collect();
        let placed = placed(limits, &rows);
        prop_assert_eq!(placed.len(), lines.len(), "each line is placed once");
        let mut chunks: Vec<(u32, u64)> = Vec::new();
        let mut left_over = 0u64;
        for (place, bytes) in placed.iter().zip(&lines) {
            match place {
                Placed::OverMaxChunks | Placed::TooFewLeft => left_over += 1,
                Placed::Chunk(index) => {
                    prop_assert_eq!(left_over, 0, "nothing is placed after a line that is left over");
                    let index = *index as usize;
                    prop_assert!(index == chunks.len() || index + 1 == chunks.len(), "one chunk after the other");
                    chunks.resize(index + 1, (0, 0));
                    chunks[index].0 += 1;
                    chunks[index].1 += bytes;
                }
            }
        }
        for (number, (records, bytes)) in chunks.iter().enumerate() {
            let may_be_small = small_last && number + 1 == chunks.len();
            prop_assert!(may_be_small || *records >= min, "{} records", records);
            prop_assert!(*records <= min + wider, "{} records", records);
            prop_assert!(*bytes <= max_bytes);
        }
        let wide = wider + 1 >= min && longest.saturating_mul(2) * u64::from(min) <= max_bytes;
        if max_chunks.is_none() && small_last {
            prop_assert_eq!(left_over, 0, "a small chunk takes what is left");
        }
        if max_chunks.is_none() && wide {
            prop_assert!(left_over == 0 || (lines.len() as u64) < u64::from(min), "lines are left over only in need");
        }
    }

    #[test]
    fn blocks_stay_together_and_all_limits_are_kept(
        min in 1u32..12, wider in 0u32..30, max_bytes in 500u64..5_000, max_chunks in prop::option::of(1u32..5),
        prompts in 1usize..9, blocks in prop::collection::vec((1u32..20, 1u64..1_000), 0..200), small_last in any::<bool>(),
        expected in 0u64..2_000, at_most in 0u64..2_000,
    ) {
        let limits = ChunkLimits { min_records: min, max_records: min + wider, max_bytes, max_chunks, small_last };
        let most = limits.max_block_records(prompts);
        prop_assert!((1..=wider + 1).contains(&most));
        let longest = Chunker::max_line_bytes_in_blocks(limits, most);
        let fitted = blocks.iter().map(|(records, bytes)| {
            let records = (*records).min(most);
            (records, (*bytes).min(longest) * u64::from(records))
        });
        let blocks: Vec<(u32, u64)> = fitted.collect();
        let mut chunker = Chunker::new(limits, 0);
        let mut placed = Vec::new();
        for (records, bytes) in &blocks {
            // However wrong the expectation is.
            chunker.expect(expected, at_most);
            chunker.push_block(*bytes, *records);
            placed.extend(std::iter::from_fn(|| chunker.pop_placed()));
        }
        placed.extend(chunker.finish_blocks());
        prop_assert_eq!(placed.iter().map(|(_, records)| *records).collect::<Vec<_>>(),
            blocks.iter().map(|(records, _)| *records).collect::<Vec<_>>(), "each block is placed once");
        let mut chunks: Vec<(u32, u64)> = Vec::new();
        let mut left_over = false;
        for ((place, records), (_, bytes)) in placed.iter().zip(&blocks) {
            match place {
                Placed::OverMaxChunks | Placed::TooFewLeft => left_over = true,
                Placed::Chunk(index) => {
                    prop_assert!(!left_over, "nothing is placed after a block that is left over");
                    let index = *index as usize;
                    prop_assert!(index == chunks.len() || index + 1 == chunks.len(), "one chunk after the other");
                    chunks.resize(index + 1, (0, 0));
                    chunks[index].0 += records;
                    chunks[index].1 += bytes;
                }
            }
        }
        for (number, (records, bytes)) in chunks.iter().enumerate() {
            let may_be_small = small_last && number + 1 == chunks.len();
            prop_assert!(may_be_small || *records >= min, "{} records", records);
            prop_assert!(*records <= min + wider && *bytes <= max_bytes, "{} records, {} bytes", records, bytes);
        }
        prop_assert!(!left_over || max_chunks.is_some() || !small_last, "a small chunk takes what is left");
    }

    #[test]
    fn equal_lines_make_chunks_of_almost_one_size(rows in 100u64..20_000, max in 199u32..3_000) {
        let limits = limits(100, max, u64::MAX);
        prop_assert!(limits.check(rows).is_ok());
        let sizes = sizes(&placed(limits, &vec![Some(1); usize::try_from(rows).unwrap()]));
        let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
        prop_assert!(most - least <= 1, "{:?}", sizes);
        prop_assert_eq!(sizes.len() as u64, rows.div_ceil(u64::from(max)));
    }
}
