import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Choice, Condition, type IChainable } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { STEPS } from '../contract/steps';
import { FUNCTION_ERROR, explainFailure, failWithInput, unknownStep, INPUT_WITH_FAILURE } from './failure';
import { INPUT, lambdaStep, RESULT } from './lambda-step';
import { fromInput, payload, resultPath, THIS_EXECUTION } from './payload';
import { answerOnDemand, joinChunks, type PassProps, processJobs, retryJobs } from './passes';
import { WHEN_CRASHED_OR_LATE, WHEN_THROTTLED, WHEN_TRANSIENT } from './retries';

/** Props of `run`. */
export interface RunProps extends PassProps {
  readonly preprocess: LambdaFunction;
  readonly finalize: LambdaFunction;
}

/**
 * Creates the states of a run: Preprocess, then one map after the other as preprocess decides, then Finalize.
 *
 * One object goes from state to state: preprocess returns it, and the maps pass it on unchanged. Route compares its
 * `step`: the next step of a run is decided in one place, by a function that can read S3 and the job table.
 */
export function run(scope: Construct, props: RunProps): IChainable {
  const fail = failWithInput(scope, 'FailRun');
  const explain = explainFailure(scope, props.finalize, fail);

  const preprocess = lambdaStep(scope, 'Preprocess', {
    function: props.preprocess,
    payload: payload('start', { ...THIS_EXECUTION, input: INPUT }),
    output: RESULT,
    timeout: Duration.minutes(15),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  // No job of this execution has failed, so there is nothing to look up: the message of the function is the reason.
  preprocess.addCatch(fail, { outputs: FUNCTION_ERROR });

  const nextStep = lambdaStep(scope, 'NextStep', {
    function: props.preprocess,
    payload: payload('nextStep', { state: INPUT }),
    output: RESULT,
    timeout: Duration.minutes(15),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  nextStep.addCatch(explain, { outputs: INPUT_WITH_FAILURE });

  const finalize = lambdaStep(scope, 'Finalize', {
    function: props.finalize,
    payload: payload('summarize', fromInput('run_id', 'execution_arn')),
    output: RESULT,
    timeout: Duration.minutes(15),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  finalize.addCatch(explain, { outputs: INPUT_WITH_FAILURE });

  // In JSONPath like the maps: a comparison with a word needs nothing more.
  const route = Choice.jsonPath(scope, 'Route');
  const maps = {
    [STEPS.processJobs]: processJobs(scope, props),
    [STEPS.retryJobs]: retryJobs(scope, props),
    [STEPS.answerOnDemand]: answerOnDemand(scope, props),
    [STEPS.joinChunks]: joinChunks(scope, props),
  };
  for (const [step, map] of Object.entries(maps)) {
    map.addCatch(explain, { resultPath: '$.failure' });
    route.when(Condition.stringEquals(resultPath('step', 'step'), step), map.next(nextStep));
  }
  route.when(Condition.stringEquals(resultPath('step', 'step'), STEPS.finish), finalize).otherwise(unknownStep(scope));
  nextStep.next(route);
  return preprocess.next(route);
}
