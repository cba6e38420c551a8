import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Fail } from 'aws-cdk-lib/aws-stepfunctions';
import type { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { readableCause } from '../state-machine/failure';
import { lambdaStep, RESULT } from '../state-machine/lambda-step';
import { payload, THIS_EXECUTION } from '../state-machine/payload';
import { WHEN_CRASHED_OR_LATE, WHEN_THROTTLED, WHEN_TRANSIENT } from '../state-machine/retries';

/** Field in which a Catch passes the failure on: `{Error, Cause}`. */
export const FAILURE = 'failure';

/**
 * Creates the state that sends the email of a pipeline that failed and finds the reason: of a run that failed, Step
 * Functions reports only `States.TaskFailed`, with a description of the execution as the cause.
 *
 * If it fails itself, the pipeline ends with the original failure.
 */
export function notifyFailure(scope: Construct, notify: LambdaFunction, fail: Fail): LambdaInvoke {
  const step = lambdaStep(scope, 'NotifyFailure', {
    function: notify,
    payload: payload('pipelineFailed', {
      ...THIS_EXECUTION,
      // The user's input, whatever the input of this state is.
      input: '{% $states.context.Execution.Input %}',
      error: `{% $states.input.${FAILURE} %}`,
    }),
    output: RESULT,
    timeout: Duration.minutes(5),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  step.addCatch(fail, {
    outputs: {
      error: `{% $states.input.${FAILURE}.Error %}`,
      cause: readableCause(`$states.input.${FAILURE}`),
    },
  });
  step.next(fail);
  return step;
}
