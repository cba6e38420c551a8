/** Names in the table of jobs that both the stack and the functions use. */
export const JOB_TABLE = {
  partitionKey: 'job_name',
  /** Jobs of a run, in order. */
  runIndex: { name: 'run-index', partitionKey: 'run_id', sortKey: 'job_index' },
  /** Jobs that are not over yet, by their last change. Sparse: `open` is removed when a job is over. */
  openIndex: { name: 'open-index', partitionKey: 'open', sortKey: 'updated_at' },
  timeToLive: 'expires_at',
} as const;
