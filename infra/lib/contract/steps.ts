// Written by `make contract` from crates/domain/src/contract.

/** Steps of a run, as `step` names them in the result of preprocess. */
export const STEPS = {
  /** The first pass of the batch lane: Bedrock jobs and their answered files. */
  processJobs: 'process_jobs',
  /** A later pass of the batch lane: Bedrock jobs alone. */
  retryJobs: 'retry_jobs',
  /** A pass of the on-demand lane. */
  answerOnDemand: 'answer_on_demand',
  /** The answered files of the chunks whose rows a pass had. */
  joinChunks: 'join_chunks',
  /** Nothing is left to invoke. */
  finish: 'finish',
} as const;
