// Written by `make contract` from crates/domain/src/contract.

/** Functions of the stack, by the names of their folders under lambdas/. */
export const FUNCTION_NAMES = [
  /** Checks a request, writes chunks and plan, and decides the next step of a run. */
  'preprocess',
  /** Creates a Bedrock job. */
  'submit',
  /** Settles the job that an event names. */
  'job-status',
  /** Joins answers with their rows. */
  'postprocess',
  /** Invokes a model on demand. */
  'invoke',
  /** Writes the summary of a run, or explains its failure. */
  'finalize',
  /** Settles open jobs that have been silent. */
  'reconcile',
  /** Stops the jobs of a run whose execution ended early. */
  'stop-jobs',
  /** Checks a pipeline and writes the inputs of its stages. */
  'validate',
  /** Sends the emails. */
  'notify',
  /** Starts executions for uploads. */
  'trigger',
  /** Follows the links of emails. */
  'download',
  /** Starts a run that classifies medical device reports. */
  'classifier',
] as const;

/** Comes before the name of a function in the account. */
export const FUNCTION_NAME_PREFIX = 'bedrock-batch-';
