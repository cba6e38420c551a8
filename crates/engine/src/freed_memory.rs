//! Memory that the allocator keeps for later.

use std::hint::black_box;

/// Size of the blocks that are kept: batches of rows and of lines take less.
const KEPT_BYTES: usize = 8 << 20;

/// Lets the allocator keep freed blocks of up to 8 MiB, and up to twice as much in total. It would return them to the system after
/// each batch, and the next batch would pay for fresh pages: 30,000 of them for 57 MB of CSV, a tenth of the CPU time of preprocess.
///
/// glibc adapts both limits to the largest block that was ever mapped and freed, which this one is; its pages are never touched. Other
/// allocators do nothing.
pub fn keep_freed_memory() {
    drop(black_box(Vec::<u8>::with_capacity(KEPT_BYTES)));
}
