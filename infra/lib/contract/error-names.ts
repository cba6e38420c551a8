// Written by `make contract` from crates/domain/src/contract.

/** Errors of the functions, as Retry and Catch match them. */
export const ERROR_NAMES = {
  /** The user's input is invalid; repeating changes nothing. Never retried. */
  invalidInput: 'InvalidInput',
  /** Bedrock's quota of submitted and running jobs is used up. */
  quotaExceeded: 'QuotaExceeded',
  /** An AWS API throttled a request. */
  throttled: 'Throttled',
  /** A transient fault: a 5xx status, a broken connection, a timeout, or a read that was not consistent yet. */
  transient: 'Transient',
  /** AWS denied a call: the caller's permissions have to change first. Never retried. */
  accessDenied: 'AccessDenied',
  /** Bedrock refused a job or a model, or a job failed, for a permanent reason. Never retried. */
  jobFailed: 'JobFailed',
  /** The run was stopped, or another execution owns it by now: the work of this one is obsolete. Never retried. */
  superseded: 'Superseded',
  /**
   * An item of the job table, or a job at Bedrock, has the name of this run's job and belongs to something else. Never
   * retried.
   */
  nameClash: 'NameClash',
  /** Stored data is missing, or is not as it was written. Never retried. */
  corrupt: 'Corrupt',
  /** A bug, or an incorrect deployment or configuration of the functions. Never retried. */
  internal: 'Internal',
} as const;

/** Errors that a retry cannot fix. */
export const NEVER_RETRIED = [
  ERROR_NAMES.invalidInput,
  ERROR_NAMES.accessDenied,
  ERROR_NAMES.jobFailed,
  ERROR_NAMES.superseded,
  ERROR_NAMES.nameClash,
  ERROR_NAMES.corrupt,
  ERROR_NAMES.internal,
] as const;
