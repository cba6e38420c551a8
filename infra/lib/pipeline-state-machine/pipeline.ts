import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { type IChainable, type IStateMachine, JsonPath, Map as MapState, Succeed } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { failAsTold } from '../state-machine/failure';
import { INPUT, lambdaStep, RESULT } from '../state-machine/lambda-step';
import { WHEN_CRASHED_OR_LATE, WHEN_THROTTLED, WHEN_TRANSIENT } from '../state-machine/retries';
import { FAILURE, notifyFailure } from './failure';
import { runStage } from './run-stage';

/** Props of `pipeline`. */
export interface PipelineProps {
  /** Runs each stage. */
  readonly batch: IStateMachine;
  readonly validate: IFunction;
  readonly notify: IFunction;
}

/**
 * The states of a pipeline: Validate, then one run after the other, then an email.
 *
 * Validate names all runs beforehand and writes their inputs to S3, so nothing is looked up or handed over between two
 * stages: a run finds the rows of the one before it by its name. What goes from state to state is what Validate returned.
 */
export function pipeline(scope: Construct, props: PipelineProps): IChainable {
  const fail = failAsTold(scope, 'PipelineFailed');
  const tellFailure = notifyFailure(scope, props.notify, fail);

  const validate = lambdaStep(scope, 'Validate', {
    function: props.validate,
    payload: {
      action: 'pipeline',
      execution_name: '{% $states.context.Execution.Name %}',
      execution_arn: '{% $states.context.Execution.Id %}',
      started_at: '{% $states.context.Execution.StartTime %}',
      input: INPUT,
    },
    output: RESULT,
    timeout: Duration.minutes(15),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  // Without the input: it may be anything, so the failure cannot always be put into it.
  validate.addCatch(tellFailure, { outputs: { [FAILURE]: '{% $states.errorOutput %}' } });

  // In JSONPath like the maps of the batch orchestrator. Its output is its input: what a run did is in S3.
  const runStages = MapState.jsonPath(scope, 'RunStages', {
    itemsPath: '$.stages',
    maxConcurrency: 1,
    resultPath: JsonPath.DISCARD,
  }).itemProcessor(runStage(scope, props.batch));
  runStages.addCatch(tellFailure, { resultPath: `$.${FAILURE}` });

  const notifySuccess = lambdaStep(scope, 'NotifySuccess', {
    function: props.notify,
    payload: {
      action: 'succeeded',
      ...Object.fromEntries(VALIDATED.map((field) => [field, `{% $states.input.${field} %}`])),
    },
    output: RESULT,
    timeout: Duration.minutes(5),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  // All rows are answered and paid for: an email that cannot be sent is no reason to call that a failure.
  notifySuccess.addCatch(Succeed.jsonata(scope, 'SucceededWithoutEmail'), { outputs: INPUT });

  return validate.next(runStages).next(notifySuccess);
}

/** What Validate returns. */
const VALIDATED = ['pipeline_run_id', 'bucket', 'execution_arn', 'started_at', 'stages'];
