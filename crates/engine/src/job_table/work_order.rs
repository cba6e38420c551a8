//! Order of the work on one item, by which the table refuses what a later attempt has overtaken.

use bedrock_batch_domain::job::JobAttempt;
use bedrock_batch_domain::join_order::JoinOrder;

/// Attribute with the order of the latest attempt to submit a job.
pub(super) const ATTEMPT: &str = "attempt";
/// Attribute with the order of the latest join of a file.
pub(super) const JOIN_ORDER: &str = "join_order";

/// Order of an attempt among all of its kind on one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WorkOrder {
    attribute: &'static str,
    /// Text that sorts as the attempts do.
    pub(super) text: String,
}

impl WorkOrder {
    /// Returns the condition that no later attempt has begun; `placeholder` is that of this attempt's order.
    pub(super) fn is_latest(&self, placeholder: &str) -> String {
        let attribute = self.attribute;
        format!("(attribute_not_exists({attribute}) OR {attribute} <= {placeholder})")
    }
}

impl From<JobAttempt> for WorkOrder {
    fn from(attempt: JobAttempt) -> Self {
        Self { attribute: ATTEMPT, text: attempt.to_string() }
    }
}

impl From<JoinOrder> for WorkOrder {
    fn from(order: JoinOrder) -> Self {
        Self { attribute: JOIN_ORDER, text: order.to_string() }
    }
}
