//! The stored facts that determine the next transition.

use super::fate::Fate;
use super::history::History;
use super::shape::RunShape;
use super::state::RunState;
use crate::extract::{ColumnType, FieldKinds};
use crate::ids::JobName;
use crate::join_task::JoinStamp;
use crate::lane::Lane;
use crate::plan::JobItem;
use crate::summary::ChunkCounts;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// All facts that determine the transition after a phase of a run.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Facts that do not change.
    pub shape: RunShape,
    /// All passes up to the latest one.
    pub history: &'a History,
    /// Counts of the latest join of each chunk that was joined.
    pub counts: BTreeMap<u32, &'a ChunkCounts>,
    /// Outcomes of jobs, by name; those of other jobs are [`Fate::Other`].
    pub fates: HashMap<&'a JobName, Fate>,
}

impl Facts<'_> {
    /// Returns the chunks to join after the first pass, whose jobs were joined one by one.
    pub(super) fn chunks_after_first_pass(&self, state: &RunState) -> BTreeSet<u32> {
        // Jobs of chunks that an earlier execution collected may have produced answers only after that.
        let collected = self.counts.iter().filter(|(_, counts)| counts.stamp != JoinStamp::FirstJob);
        self.with_unjoined(state, collected.map(|(chunk, _)| *chunk))
    }

    /// Returns the chunks to join after any other pass.
    pub(super) fn chunks_after_pass(&self, state: &RunState) -> BTreeSet<u32> {
        self.with_unjoined(state, self.history.chunks_of_pass(state.pass))
    }

    /// Returns these chunks, and those that were never joined.
    fn with_unjoined(&self, state: &RunState, chunks: impl Iterator<Item = u32>) -> BTreeSet<u32> {
        let unjoined = (0..self.shape.chunks).filter(|chunk| !self.counts.contains_key(chunk));
        let mut chunks: BTreeSet<u32> = chunks.chain(unjoined).collect();
        if self.shape.has_small_chunk && state.pass == 0 && state.remainder.is_some() {
            // The remainder of the first pass is joined after its own pass.
            chunks.remove(&self.shape.chunks.saturating_sub(1));
        }
        chunks
    }

    /// Returns true if there are batch jobs, and all of them failed for an unknown reason, or were all refused while none of their
    /// rows was sent on demand, because they are more than may be.
    pub(super) fn all_jobs_failed(&self) -> bool {
        let jobs = |lane: Lane| {
            self.history.passes.iter().flat_map(|pass| &pass.jobs).filter(move |job: &&JobItem| job.lane == lane)
        };
        let all_are = |fate: Fate| jobs(Lane::Batch).all(|job| self.fates.get(&job.name) == Some(&fate));
        let unanswered = self.unanswered().values().sum();
        // A remainder has rows that were in no batch job.
        let were_sent = jobs(Lane::OnDemand).any(|job| !job.is_remainder);
        let is_capped = !were_sent && !self.shape.allows_on_demand(self.history, unanswered);
        jobs(Lane::Batch).next().is_some() && (all_are(Fate::FailedUnknown) || (is_capped && all_are(Fate::Refused)))
    }

    /// Returns the number of unanswered rows of each chunk that has some.
    pub(super) fn unanswered(&self) -> BTreeMap<u32, u64> {
        let of =
            |(chunk, counts): (&u32, &&ChunkCounts)| (counts.unanswered > 0).then_some((*chunk, counts.unanswered));
        self.counts.iter().filter_map(of).collect()
    }

    /// Returns the types of the fields' columns over all chunks, and the chunks that were written with other types.
    pub(super) fn column_types(&self) -> (Vec<ColumnType>, Vec<u32>) {
        let mut all: Vec<FieldKinds> = Vec::new();
        for counts in self.counts.values() {
            all.resize_with(all.len().max(counts.kinds.len()), FieldKinds::default);
            for (all, own) in all.iter_mut().zip(&counts.kinds) {
                all.merge(own);
            }
        }
        let types: Vec<ColumnType> = all.iter().map(FieldKinds::column_type).collect();
        let others = self.counts.iter().filter(|(_, counts)| counts.types != types).map(|(chunk, _)| *chunk).collect();
        (types, others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::FieldValue;
    use crate::input::ProcessingMode;

    /// Returns the counts of a chunk whose only field had these values, written as `types`.
    fn counts(values: &[FieldValue], types: &[ColumnType]) -> ChunkCounts {
        let mut kinds = FieldKinds::default();
        for value in values {
            kinds.record(value);
        }
        ChunkCounts { kinds: vec![kinds], types: types.to_vec(), ..ChunkCounts::default() }
    }

    #[test]
    fn files_whose_columns_have_other_types_are_rewritten() {
        let number = FieldValue::Number(1.into());
        let chunks = [
            counts(std::slice::from_ref(&number), &[ColumnType::Integer]),
            counts(&[number, FieldValue::Text("many".into())], &[ColumnType::Text]),
            counts(&[], &[ColumnType::Text]),
        ];
        let shape = RunShape {
            processing: ProcessingMode::Auto,
            batch_minimum: 100,
            max_on_demand: None,
            chunks: 3,
            has_small_chunk: false,
            duplicate_files: 0,
            is_wide: false,
        };
        let facts =
            Facts { shape, history: &History::default(), counts: (0..).zip(&chunks).collect(), fates: HashMap::new() };
        assert_eq!(facts.column_types(), (vec![ColumnType::Text], vec![0]));
    }
}
