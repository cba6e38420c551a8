// Written by `make contract` from crates/domain/src/contract.

/** Metrics that functions write to their logs. */
export const METRICS = {
  /** Rows of a run that have an answer, at its end. */
  rowsAnswered: { name: 'RowsAnswered', unit: 'Count', dimension: undefined },
  /** Rows of a run that have none, by the code of their reason. */
  rowsFailed: { name: 'RowsFailed', unit: 'Count', dimension: 'Reason' },
  /** Input tokens of a run, by its model. */
  inputTokens: { name: 'InputTokens', unit: 'Count', dimension: 'Model' },
  /** Output tokens of a run, by its model. */
  outputTokens: { name: 'OutputTokens', unit: 'Count', dimension: 'Model' },
  /** Cost of the tokens of a run in US dollars, by its model. None if a price is not known. */
  costUsd: { name: 'CostUsd', unit: 'None', dimension: 'Model' },
  /** Batch jobs that have ended, by their last status at Bedrock. */
  jobsEnded: { name: 'JobsEnded', unit: 'Count', dimension: 'Status' },
  /** Time that a step of a run took, with all its jobs, by its name: `preprocess`, or `step` in the state machine. */
  stepSeconds: { name: 'StepSeconds', unit: 'Seconds', dimension: 'Step' },
  /** Time from the start of a run to its summary. None for a run that was continued. */
  runSeconds: { name: 'RunSeconds', unit: 'Seconds', dimension: undefined },
} as const;
