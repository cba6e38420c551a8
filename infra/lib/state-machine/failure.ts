import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Fail } from 'aws-cdk-lib/aws-stepfunctions';
import type { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { lambdaStep, RESULT } from './lambda-step';
import { WHEN_CRASHED_OR_LATE, WHEN_THROTTLED, WHEN_TRANSIENT } from './retries';

/**
 * What a function said, read out of the Cause that Step Functions makes of it, a JSON object with `errorMessage`.
 *
 * `failure` is the expression of the object that has the cause.
 *
 * The text is cut out and only then parsed: JSONata has no way of catching an error, and Step Functions shortens long
 * causes, after which they are no JSON any more. A cause of another form stays as it is. (In the brackets of the
 * expression the backslash comes first, because JSONata takes `\\]` for an escaped bracket.)
 */
export function readableCause(failure: string): string {
  return [
    `{% ($cause := $exists(${failure}.Cause) ? $string(${failure}.Cause) : "";`,
    '$message := $match($cause, /"errorMessage"\\s*:\\s*("[^\\\\"]*(?:\\\\.[^\\\\"]*)*")/, 1).groups[0];',
    '$exists($message) ? $parse($message) : $cause) %}',
  ].join(' ');
}

/** What `FailRun` ends the execution with, as the Catch of a function that speaks to users. */
export const AS_TOLD_BY_THE_FUNCTION = {
  error: '{% $states.errorOutput.Error %}',
  cause: readableCause('$states.errorOutput'),
};

/** What a step that fails gives to `ExplainFailure`: its input, with the failure. */
export const WITH_THE_FAILURE = '{% $merge([$states.input, {"failure": $states.errorOutput}]) %}';

/** Ends the execution with the error and cause that it is given. */
export function failAsTold(scope: Construct, id: string): Fail {
  return Fail.jsonata(scope, id, { error: '{% $states.input.error %}', cause: '{% $states.input.cause %}' });
}

/**
 * Ends an execution whose next step has no state here. Only functions of another version than the state machine can do
 * that, and going on with something else would be a guess.
 */
export function unknownStep(scope: Construct): Fail {
  return Fail.jsonata(scope, 'UnknownStep', {
    error: 'UnknownStep',
    cause:
      '{% "The function bedrock-batch-preprocess asked for the step `" & $string($states.input.step) & "`, which this state machine does not have. Deploy functions and state machine of one version, then resume the run." %}',
  });
}

/**
 * Turns "a child failed" into why: the job that stopped the run left its reason in the table.
 *
 * Its input is that of the state which failed, with `failure: {Error, Cause}`. Should it fail itself, the execution
 * ends with that original failure.
 */
export function explainFailure(scope: Construct, finalize: IFunction, failRun: Fail): LambdaInvoke {
  const step = lambdaStep(scope, 'ExplainFailure', {
    function: finalize,
    payload: {
      action: 'explain_failure',
      run_id: '{% $states.input.run_id %}',
      error: '{% $states.input.failure %}',
    },
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
