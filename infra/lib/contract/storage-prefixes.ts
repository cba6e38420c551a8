/** Where things lie in the bucket; the first part of every key that a function writes. */
export const PREFIXES = {
  /** What Bedrock reads. */
  jobInputs: 'batch_inputs_json',
  /** The same rows with all their columns. */
  inputRows: 'batch_inputs_parquet',
  /** What Bedrock writes. */
  jobOutputs: 'batch_outputs_json',
  /** Answered rows. */
  answers: 'batch_output_parquet',
  /** Plan, job manifest, summary and report of each run; what a pipeline froze when it started. */
  runs: 'runs',
  /** An upload here starts an execution. */
  trigger: 'trigger',
} as const;
