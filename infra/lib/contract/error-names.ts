// Written by `make contract` from crates/domain/src/contract.

/** Errors of the functions, as Retry and Catch match them. */
export const ERROR_NAMES = {
  /** The user's input is invalid, and a retry would change nothing. Never retried. */
  invalidInput: 'InvalidInput',
  /** Bedrock's quota of submitted and running jobs is used up. Retried in the state machine with a long backoff. */
  quotaExceeded: 'QuotaExceeded',
  /** An AWS API throttled a request. Retried. */
  throttled: 'Throttled',
  /** A transient fault: a 5xx, a broken connection, a timeout. Retried. */
  transient: 'Transient',
  /** A Bedrock job failed for a reason that a retry cannot fix. Never retried. */
  jobFailed: 'JobFailed',
} as const;

/** Errors that a retry cannot fix. */
export const NEVER_RETRIED = [ERROR_NAMES.invalidInput, ERROR_NAMES.jobFailed] as const;
