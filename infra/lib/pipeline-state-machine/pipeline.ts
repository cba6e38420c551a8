import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type IChainable, type IStateMachine, JsonPath, Map as MapState, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { failWithInput } from '../state-machine/failure';
import { INPUT, lambdaStep, RESULT } from '../state-machine/lambda-step';
import { fromInput, payload, resultPath, THIS_EXECUTION } from '../state-machine/payload';
import { WHEN_CRASHED_OR_LATE, WHEN_THROTTLED, WHEN_TRANSIENT } from '../state-machine/retries';
import { FAILURE, notifyFailure } from './failure';
import { runStage } from './run-stage';

/** Props of `pipeline`. */
export interface PipelineProps {
  /** Batch orchestrator, which runs the stages. */
  readonly batch: IStateMachine;
  readonly validate: LambdaFunction;
  readonly notify: LambdaFunction;
}

/**
 * Creates the states of a pipeline: Validate, then one run after the other, then an email.
 *
 * Validate names all runs in advance and writes their inputs to S3, so nothing is looked up or passed on between two
 * stages: a run finds the rows of the one before it by its name. The result of Validate goes from state to state.
 */
export function pipeline(scope: Construct, props: PipelineProps): IChainable {
  const fail = failWithInput(scope, 'PipelineFailed');
  const notifyOfFailure = notifyFailure(scope, props.notify, fail);

  const validate = lambdaStep(scope, 'Validate', {
    function: props.validate,
    payload: payload('validate', { ...THIS_EXECUTION, input: INPUT }),
    output: RESULT,
    timeout: Duration.minutes(15),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  // Without the input: it may be any JSON, so the failure cannot always be added to it.
  validate.addCatch(notifyOfFailure, { outputs: { [FAILURE]: '{% $states.errorOutput %}' } });

  // In JSONPath like the maps of the batch orchestrator. Its output is its input: the results of a run are in S3.
  const runStages = MapState.jsonPath(scope, 'RunStages', {
    itemsPath: resultPath('pipeline', 'stages'),
    maxConcurrency: 1,
    resultPath: JsonPath.DISCARD,
  }).itemProcessor(runStage(scope, props.batch));
  runStages.addCatch(notifyOfFailure, { resultPath: `$.${FAILURE}` });

  const notifySuccess = lambdaStep(scope, 'NotifySuccess', {
    function: props.notify,
    payload: payload('pipelineSucceeded', fromInput('pipeline_run_id')),
    output: RESULT,
    timeout: Duration.minutes(5),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  // All rows are answered and paid for: an email that cannot be sent does not make the pipeline a failure.
  notifySuccess.addCatch(Succeed.jsonata(scope, 'SucceededWithoutEmail'), { outputs: INPUT });

  return validate.next(runStages).next(notifySuccess);
}
