/**
 * What preprocess may say comes next in a run, in the field `step` of what it returns.
 *
 * They are defined in crates/domain/src/run/step_name.rs; a test holds the state machine to that file.
 */
export const STEPS = {
  /** A pass on the batch lane that makes the chunks: Bedrock jobs, and an answered file for each. */
  processJobs: 'process_jobs',
  /** A pass on the batch lane over rows that have a chunk already: Bedrock jobs alone. */
  retryJobs: 'retry_jobs',
  /** A pass on the on-demand lane. */
  answerOnDemand: 'answer_on_demand',
  /** The answered files of the chunks that a pass asked again. */
  joinChunks: 'join_chunks',
  /** Nothing is left to ask. */
  finish: 'finish',
} as const;
