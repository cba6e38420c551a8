// Written by `make contract` from crates/domain/src/contract.

/** Prefixes of the bucket: the first part of every key that a function writes. */
export const PREFIXES = {
  /** Records of jobs, which Bedrock reads. */
  jobInputs: 'batch_inputs_json',
  /** Rows of chunks with all their columns. */
  inputRows: 'batch_inputs_parquet',
  /** Answers of jobs, which Bedrock writes. */
  jobOutputs: 'batch_outputs_json',
  /** Answered rows. */
  answers: 'batch_output_parquet',
  /** Plan, manifests and summary of each run; names and inputs of each pipeline. */
  runs: 'runs',
  /** Uploads that start an execution. */
  trigger: 'trigger',
  /** Runs whose working files are to be deleted, by day. */
  expiring: 'expiring',
  /** Settings that take the place of deployed ones. No function writes them. */
  settings: 'settings',
} as const;
