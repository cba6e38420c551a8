// Written by `make contract` from crates/domain/src/contract.

/** Names in the job table that both the stack and the functions use. */
export const JOB_TABLE = {
  partitionKey: 'job_name',
  timeToLive: 'expires_at',
  uploadSlots: 'uploads/slots',
  /** Jobs of a run, in the order of their numbers. */
  runIndex: { name: 'run-index', partitionKey: 'run_id', sortKey: 'job_index' },
  /** Open jobs by their last update. Sparse: `open` is removed when a job is over. */
  openIndex: { name: 'open-index', partitionKey: 'open', sortKey: 'updated_at' },
} as const;
