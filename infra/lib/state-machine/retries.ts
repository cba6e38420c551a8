import { Duration } from 'aws-cdk-lib';
import { JitterType, type RetryProps } from 'aws-cdk-lib/aws-stepfunctions';
import { ERROR_NAMES } from '../contract/error-names';
import { QUOTA_WAIT } from '../contract/quota-wait';

/*
 * Retries of states, by error name. The errors that are NEVER_RETRIED are in no list: a retry would change nothing. Full
 * jitter everywhere, because the cause that makes one child wait makes thousands wait at the same moment.
 */

/** AWS throttled requests: Bedrock, S3, or Lambda itself. */
export const WHEN_THROTTLED: RetryProps = {
  errors: [ERROR_NAMES.throttled, 'Lambda.TooManyRequestsException'],
  interval: Duration.seconds(3),
  backoffRate: 2,
  maxDelay: Duration.minutes(2),
  maxAttempts: 20,
  jitterStrategy: JitterType.FULL,
};

/** Transient faults: ours, and those of Lambda that its documentation names. */
export const WHEN_TRANSIENT: RetryProps = {
  errors: [
    ERROR_NAMES.transient,
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.ClientExecutionTimeoutException',
  ],
  interval: Duration.seconds(2),
  backoffRate: 2,
  maxDelay: Duration.minutes(1),
  maxAttempts: 6,
  jitterStrategy: JitterType.FULL,
};

const CRASHED = ['Sandbox.Timedout', 'Runtime.ExitError', 'Runtime.Unknown', 'Lambda.Unknown'];

/**
 * The function crashed or hung. Every step may be repeated: it finds the results of the previous attempt and continues
 * from there. A cause that crashed several attempts in a row, such as too much data, will crash the next one too.
 */
export const WHEN_CRASHED: RetryProps = {
  errors: CRASHED,
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxAttempts: 3,
  jitterStrategy: JitterType.FULL,
};

/** The same for states that only wait for their function: there States.Timeout means the same as Sandbox.Timedout. */
export const WHEN_CRASHED_OR_LATE: RetryProps = { ...WHEN_CRASHED, errors: [...CRASHED, 'States.Timeout'] };

/**
 * There was no news of a job: neither its event nor the reconciler came. The next attempt to submit it finds the job, reads how it
 * ended, and waits again if it has not.
 */
export const WHEN_WITHOUT_NEWS: RetryProps = {
  errors: ['States.Timeout'],
  interval: Duration.minutes(1),
  backoffRate: 2,
  maxAttempts: 5,
  jitterStrategy: JitterType.FULL,
};

/**
 * Bedrock's quota of jobs is used up: all runs share the account's quota, so a job waits for its turn, for up to
 * about a week. With full jitter a wait is half of its maximum on average: 1350 × 450 s are seven days. Each attempt
 * takes about five of the 25,000 events of a child's history.
 */
export const WHEN_OUT_OF_QUOTA: RetryProps = {
  errors: [ERROR_NAMES.quotaExceeded],
  interval: Duration.seconds(QUOTA_WAIT.firstSeconds),
  backoffRate: QUOTA_WAIT.backoffRate,
  maxDelay: Duration.seconds(QUOTA_WAIT.maxSeconds),
  maxAttempts: 1350,
  jitterStrategy: JitterType.FULL,
};

/**
 * Step Functions could not start a nested execution: too many requests, or a fault of its own. Errors of the execution
 * itself (`States.TaskFailed`) are not among them: it has made its own retries. A second start is safe, because the name
 * stays the same: if the first start succeeded without an answer, the second one returns that execution.
 */
export const WHEN_NOT_STARTED: RetryProps = {
  errors: [
    'StepFunctions.AWSStepFunctionsException',
    'StepFunctions.ExecutionLimitExceeded',
    'StepFunctions.ExecutionLimitExceededException',
    'StepFunctions.SdkClientException',
    'StepFunctions.ServiceException',
    'StepFunctions.ThrottlingException',
  ],
  interval: Duration.seconds(3),
  backoffRate: 2,
  maxDelay: Duration.minutes(1),
  maxAttempts: 10,
  jitterStrategy: JitterType.FULL,
};
