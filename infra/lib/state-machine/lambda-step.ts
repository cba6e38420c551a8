import type { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { IntegrationPattern, type RetryProps, TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import type { Payload } from './payload';

/** Props of `lambdaStep`. Expressions are JSONata, in `{% … %}`. */
export interface LambdaStepProps {
  /** Function that the state invokes. */
  readonly function: LambdaFunction;
  /** Event of the function. `payload` makes it. */
  readonly payload: Payload;
  /** Output of the state. */
  readonly output: string;
  /** Timeout of one attempt. */
  readonly timeout: Duration;
  /** Errors after which the state is retried. */
  readonly retries: readonly RetryProps[];
  /** @default - the state ends when the function returns */
  readonly waitForTaskToken?: boolean;
}

/** Result of the function. */
export const RESULT = '{% $states.result.Payload %}';
/** Input of the state, unchanged. */
export const INPUT = '{% $states.input %}';

/**
 * Creates a state that invokes a function, in the version of this deployment: a running execution keeps its definition, and
 * with it the version, whatever is deployed meanwhile. A version's environment and code never change.
 *
 * CDK's default retries are disabled: they are the same for every state.
 */
export function lambdaStep(scope: Construct, id: string, props: LambdaStepProps): LambdaInvoke {
  const step = LambdaInvoke.jsonata(scope, id, {
    lambdaFunction: props.function.currentVersion,
    payload: TaskInput.fromObject(props.payload),
    outputs: props.output,
    taskTimeout: Timeout.duration(props.timeout),
    retryOnServiceExceptions: false,
    ...(props.waitForTaskToken && { integrationPattern: IntegrationPattern.WAIT_FOR_TASK_TOKEN }),
  });
  for (const retry of props.retries) step.addRetry(retry);
  return step;
}
