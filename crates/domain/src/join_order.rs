//! Order of the joins of one file.

use crate::join_task::{JoinStamp, JoinTask};
use std::fmt;

/// Position of a join among all joins of its file. Later ones are greater, and know more answers: an earlier one that is still
/// running must not replace their results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct JoinOrder {
    /// Epoch of the execution that owns the run. It grows with each new owner.
    epoch: u64,
    /// Pass whose answers it joins.
    pass: u32,
    stage: Stage,
}

/// Kinds of joins after one pass, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// After the file's own job.
    OwnJob,
    /// After the whole pass.
    WholePass,
    /// With the types of all files.
    WithTypes,
    /// As wide rows.
    Pivot,
}

impl JoinOrder {
    /// Returns the order of a task of the execution that owns the run in this epoch.
    pub fn of(task: &JoinTask, epoch: u64) -> Self {
        let pass = |stamp: &JoinStamp| match stamp {
            JoinStamp::FirstJob => 0,
            JoinStamp::AfterPass { pass, .. } => *pass,
        };
        let (pass, stage) = match task {
            JoinTask::Chunk { stamp: JoinStamp::FirstJob, .. } => (0, Stage::OwnJob),
            JoinTask::Chunk { stamp, types: None, .. } => (pass(stamp), Stage::WholePass),
            JoinTask::Chunk { stamp, types: Some(_), .. } | JoinTask::Duplicates { stamp, .. } => {
                (pass(stamp), Stage::WithTypes)
            }
            // It follows the last pass, and nothing follows it in the same epoch.
            JoinTask::Pivot { .. } => (u32::MAX, Stage::Pivot),
        };
        Self { epoch, pass, stage }
    }
}

/// Text that sorts as the joins do, for conditions of DynamoDB.
impl fmt::Display for JoinOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}/{:010}/{}", self.epoch, self.pass, self.stage as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::JobName;

    #[test]
    fn joins_are_ordered_by_owner_then_by_pass_then_by_kind() {
        let name = JobName::parse("p-0000-0").unwrap();
        let chunk = |stamp: JoinStamp, types: Option<Vec<_>>| JoinTask::Chunk {
            chunk: 0,
            name: name.clone(),
            attempts: Vec::new(),
            types,
            stamp,
        };
        let after = |pass| JoinStamp::AfterPass { execution: "e".to_owned(), pass };
        let pivot = JoinTask::Pivot { chunk: 0, name: name.clone() };
        let in_order = [
            JoinOrder::of(&chunk(JoinStamp::FirstJob, None), 9),
            JoinOrder::of(&chunk(after(0), None), 9),
            JoinOrder::of(&chunk(after(2), None), 9),
            JoinOrder::of(&chunk(after(2), Some(Vec::new())), 9),
            JoinOrder::of(&chunk(after(10), None), 9),
            JoinOrder::of(&pivot, 9),
            JoinOrder::of(&chunk(after(0), None), 10),
        ];
        assert!(in_order.is_sorted_by(|one, next| one < next));
        assert!(in_order.map(|order| order.to_string()).is_sorted_by(|one, next| one < next), "as texts too");
    }
}
