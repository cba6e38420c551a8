// Written by `make contract` from crates/domain/src/contract.

/** Errors of the functions, as Retry and Catch match them. */
export const ERROR_NAMES = {
  /** The user's input is invalid; repeating changes nothing. Never retried. */
  invalidInput: 'InvalidInput',
  /** Bedrock's quota of submitted and running jobs is used up. */
  quotaExceeded: 'QuotaExceeded',
  /** An AWS API asked for fewer requests. */
  throttled: 'Throttled',
  /** A transient fault: a 5xx status, a broken connection, a timeout, or a read that was not consistent yet. */
  transient: 'Transient',
  /** AWS denied a call: the caller's rights have to change first. Never retried. */
  accessDenied: 'AccessDenied',
  /** Bedrock refused a job or a model, or a job failed, for a permanent reason. Never retried. */
  jobFailed: 'JobFailed',
  /** The run was stopped, or another execution owns it by now: this one's work is no longer wanted. Never retried. */
  superseded: 'Superseded',
  /** Something that was stored is missing, or is not as it was written. Never retried. */
  corrupt: 'Corrupt',
  /** A bug, or functions that were deployed or configured wrongly. Never retried. */
  internal: 'Internal',
} as const;

/** Errors that a retry cannot fix. */
export const NEVER_RETRIED = [
  ERROR_NAMES.invalidInput,
  ERROR_NAMES.accessDenied,
  ERROR_NAMES.jobFailed,
  ERROR_NAMES.superseded,
  ERROR_NAMES.corrupt,
  ERROR_NAMES.internal,
] as const;
