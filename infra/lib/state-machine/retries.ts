import { Duration } from 'aws-cdk-lib';
import { JitterType, type RetryProps } from 'aws-cdk-lib/aws-stepfunctions';
import { ERROR_NAMES } from '../contract/error-names';

/*
 * When a step is tried again, by error name. `InvalidInput` and `JobFailed` are in no list: trying again would change
 * nothing. Full jitter everywhere, because what makes one child wait makes thousands wait at the same moment.
 */

/** AWS asked for fewer requests: of Bedrock, of S3, or of Lambda itself. */
export const WHEN_THROTTLED: RetryProps = {
  errors: [ERROR_NAMES.throttled, 'Lambda.TooManyRequestsException'],
  interval: Duration.seconds(3),
  backoffRate: 2,
  maxDelay: Duration.minutes(2),
  maxAttempts: 20,
  jitterStrategy: JitterType.FULL,
};

/** Faults that pass by themselves: ours, and Lambda's own as its documentation names them. */
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
 * The function died or hung. Every step may be repeated: it finds what the attempt before left behind, and goes on from
 * there. Whatever broke a few attempts in a row, too much data for the function say, will break the next one too.
 */
export const WHEN_CRASHED: RetryProps = {
  errors: CRASHED,
  interval: Duration.seconds(5),
  backoffRate: 2,
  maxAttempts: 3,
  jitterStrategy: JitterType.FULL,
};

/** The same for steps that only wait for their function: there States.Timeout says no more than Sandbox.Timedout. */
export const WHEN_CRASHED_OR_LATE: RetryProps = { ...WHEN_CRASHED, errors: [...CRASHED, 'States.Timeout'] };

/**
 * Bedrock has no room for another job: several runs share the account's quota, so a job waits for its turn, about a
 * week if it has to. With full jitter a wait is half of its limit on average: 1350 × 450 s are seven days. Each attempt
 * takes some five events of a child's history of 25,000.
 */
export const WHEN_OUT_OF_QUOTA: RetryProps = {
  errors: [ERROR_NAMES.quotaExceeded],
  interval: Duration.minutes(1),
  backoffRate: 1.5,
  maxDelay: Duration.minutes(15),
  maxAttempts: 1350,
  jitterStrategy: JitterType.FULL,
};

/**
 * Step Functions could not start a nested execution just now: too many requests, or a fault of its own. Errors of the
 * execution itself (`States.TaskFailed`) are not among them: what it could try again it has tried. Starting once more
 * is safe, because the name stays the same: an execution that began unheard is taken for the one asked for.
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
