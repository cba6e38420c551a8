/**
 * The error names that leave the functions, which Retry and Catch match.
 *
 * They are defined in crates/domain/src/error_name.rs; a test holds the state machine to that file.
 */
export const ERROR_NAMES = {
  /** The user has to change something. Never retried. */
  invalidInput: 'InvalidInput',
  /** Bedrock has no room for another job now. */
  quotaExceeded: 'QuotaExceeded',
  /** An AWS service asked to slow down. */
  throttled: 'Throttled',
  /** Something that should pass by itself. */
  transient: 'Transient',
  /** Bedrock gave the job up for good. Never retried. */
  jobFailed: 'JobFailed',
  /** AWS denied a call of the function. Never retried. */
  accessDenied: 'AccessDenied',
  /** The run was stopped, or another execution owns it. Never retried. */
  superseded: 'Superseded',
  /** Something that was stored is missing or damaged. Never retried. */
  corrupt: 'Corrupt',
  /** A bug, or a wrong deployment. Never retried. */
  internal: 'Internal',
} as const;
