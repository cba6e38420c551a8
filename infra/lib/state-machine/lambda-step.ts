import type { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { IntegrationPattern, type RetryProps, TaskInput, Timeout } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';

/** One step that invokes a function. Expressions are JSONata, in `{% … %}`. */
export interface LambdaStepProps {
  readonly function: IFunction;
  /** The event that the function is given. */
  readonly payload: Record<string, unknown>;
  /** What the step hands on. */
  readonly output: string;
  /** How long one attempt may take. */
  readonly timeout: Duration;
  readonly retries: readonly RetryProps[];
  /** @default - the step ends when the function returns */
  readonly waitForTaskToken?: boolean;
}

/** What a function returned. */
export const RESULT = '{% $states.result.Payload %}';
/** What the step was given, handed on unchanged. */
export const INPUT = '{% $states.input %}';

/** Makes the step. CDK's default retries are left out: they are the same for every step, and ours are not. */
export function lambdaStep(scope: Construct, id: string, props: LambdaStepProps): LambdaInvoke {
  const step = LambdaInvoke.jsonata(scope, id, {
    lambdaFunction: props.function,
    payload: TaskInput.fromObject(props.payload),
    outputs: props.output,
    taskTimeout: Timeout.duration(props.timeout),
    retryOnServiceExceptions: false,
    ...(props.waitForTaskToken && { integrationPattern: IntegrationPattern.WAIT_FOR_TASK_TOKEN }),
  });
  for (const retry of props.retries) step.addRetry(retry);
  return step;
}
