import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Fail } from 'aws-cdk-lib/aws-stepfunctions';
import type { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { readableCause } from '../state-machine/failure';
import { lambdaStep, RESULT } from '../state-machine/lambda-step';
import { WHEN_CRASHED_OR_LATE, WHEN_THROTTLED, WHEN_TRANSIENT } from '../state-machine/retries';

/** The field in which a Catch hands on what failed: `{Error, Cause}`. */
export const FAILURE = 'failure';

/**
 * Sends the email of a pipeline that failed, and finds words for why: of a run that failed, Step Functions says no more
 * than `States.TaskFailed`, with a description of the execution for a cause.
 *
 * Should it fail itself, the pipeline ends with the original failure.
 */
export function notifyFailure(scope: Construct, notify: IFunction, fail: Fail): LambdaInvoke {
  const step = lambdaStep(scope, 'NotifyFailure', {
    function: notify,
    payload: {
      action: 'failed',
      execution_name: '{% $states.context.Execution.Name %}',
      execution_arn: '{% $states.context.Execution.Id %}',
      started_at: '{% $states.context.Execution.StartTime %}',
      // What the user gave, whatever became of it since.
      input: '{% $states.context.Execution.Input %}',
      error: `{% $states.input.${FAILURE} %}`,
    },
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
