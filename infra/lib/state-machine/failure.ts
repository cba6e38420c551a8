import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Fail } from 'aws-cdk-lib/aws-stepfunctions';
import type { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { lambdaStep, RESULT } from './lambda-step';
import { fromInput, payload } from './payload';
import { WHEN_CRASHED_OR_LATE, WHEN_THROTTLED, WHEN_TRANSIENT } from './retries';

/**
 * Returns an expression for the message of a function, taken from the Cause that Step Functions makes of it: a JSON
 * object with `errorMessage`.
 *
 * `failure` is the expression of the object that has the cause.
 *
 * The text is cut out before it is parsed: JSONata cannot catch an error, and Step Functions truncates long causes, which
 * are then no longer valid JSON. A cause of another form is returned unchanged. (In the brackets of the expression the
 * backslash comes first, because JSONata reads `\\]` as an escaped bracket.)
 */
export function readableCause(failure: string): string {
  return [
    `{% ($cause := $exists(${failure}.Cause) ? $string(${failure}.Cause) : "";`,
    '$message := $match($cause, /"errorMessage"\\s*:\\s*("[^\\\\"]*(?:\\\\.[^\\\\"]*)*")/, 1).groups[0];',
    '$exists($message) ? $parse($message) : $cause) %}',
  ].join(' ');
}

/** Output of a Catch for `FailRun`: the error and the message of a function whose messages are written for users. */
export const FUNCTION_ERROR = {
  error: '{% $states.errorOutput.Error %}',
  cause: readableCause('$states.errorOutput'),
};

/** Output of a Catch for `ExplainFailure`: the input of the state that failed, with the failure. */
export const INPUT_WITH_FAILURE = '{% $merge([$states.input, {"failure": $states.errorOutput}]) %}';

/** Creates the state that ends the execution with the error and the cause in its input. */
export function failWithInput(scope: Construct, id: string): Fail {
  return Fail.jsonata(scope, id, { error: '{% $states.input.error %}', cause: '{% $states.input.cause %}' });
}

/**
 * Creates the state that ends an execution whose next step has no state here. Only functions of another version than the
 * state machine return such a step, and any other continuation would be a guess.
 */
export function unknownStep(scope: Construct): Fail {
  return Fail.jsonata(scope, 'UnknownStep', {
    error: 'UnknownStep',
    cause: `{% "The preprocess function returned the step \`" & $string($states.input.step) & "\`, which this state machine does not have. Deploy functions and state machine of the same version, then resume the run." %}`,
  });
}

/**
 * Creates the state that replaces "a child failed" with the reason: the job that failed the run left it in the job table.
 *
 * Its input is that of the state which failed, with `failure: {Error, Cause}`. If it fails itself, the execution ends
 * with that original failure.
 */
export function explainFailure(scope: Construct, finalize: LambdaFunction, failRun: Fail): LambdaInvoke {
  const step = lambdaStep(scope, 'ExplainFailure', {
    function: finalize,
    payload: payload('explainFailure', { ...fromInput('run_id'), error: '{% $states.input.failure %}' }),
    output: RESULT,
    timeout: Duration.minutes(5),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  step.addCatch(failRun, {
    outputs: {
      error: '{% $states.input.failure.Error %}',
      cause: '{% $exists($states.input.failure.Cause) ? $states.input.failure.Cause : "" %}',
    },
  });
  step.next(failRun);
  return step;
}
