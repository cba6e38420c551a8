import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Choice, Condition, type IChainable } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { STEPS } from '../contract/steps';
import { AS_TOLD_BY_THE_FUNCTION, explainFailure, failAsTold, unknownStep, WITH_THE_FAILURE } from './failure';
import { INPUT, lambdaStep, RESULT } from './lambda-step';
import { answerOnDemand, joinChunks, type PassProps, processJobs, retryJobs } from './passes';
import { WHEN_CRASHED_OR_LATE, WHEN_THROTTLED, WHEN_TRANSIENT } from './retries';

/** Props of `run`. */
export interface RunProps extends PassProps {
  readonly preprocess: IFunction;
  readonly finalize: IFunction;
}

/**
 * The states of a run: Preprocess, then one map after the other as preprocess says, then Finalize.
 *
 * Between the states goes one object, which preprocess returns and the maps hand on unchanged. Its `step` is what Route
 * looks at: what a run still needs is decided in one place, by a function that can look into S3 and the table.
 */
export function run(scope: Construct, props: RunProps): IChainable {
  const fail = failAsTold(scope, 'FailRun');
  const explain = explainFailure(scope, props.finalize, fail);

  const preprocess = lambdaStep(scope, 'Preprocess', {
    function: props.preprocess,
    payload: {
      action: 'start',
      execution_name: '{% $states.context.Execution.Name %}',
      execution_arn: '{% $states.context.Execution.Id %}',
      started_at: '{% $states.context.Execution.StartTime %}',
      input: INPUT,
    },
    output: RESULT,
    timeout: Duration.minutes(15),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  // No job of this execution failed, so there is nothing to look up: what the function said is the reason.
  preprocess.addCatch(fail, { outputs: AS_TOLD_BY_THE_FUNCTION });

  const nextStep = lambdaStep(scope, 'NextStep', {
    function: props.preprocess,
    payload: { action: 'next_step', state: INPUT },
    output: RESULT,
    timeout: Duration.minutes(15),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  nextStep.addCatch(explain, { outputs: WITH_THE_FAILURE });

  const finalize = lambdaStep(scope, 'Finalize', {
    function: props.finalize,
    payload: { action: 'summarize', run_id: '{% $states.input.run_id %}' },
    output: RESULT,
    timeout: Duration.minutes(5),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  finalize.addCatch(explain, { outputs: WITH_THE_FAILURE });

  // In JSONPath like the maps: a comparison with a word needs no more.
  const route = Choice.jsonPath(scope, 'Route');
  const maps = {
    [STEPS.processJobs]: processJobs(scope, props),
    [STEPS.retryJobs]: retryJobs(scope, props),
    [STEPS.answerOnDemand]: answerOnDemand(scope, props),
    [STEPS.joinChunks]: joinChunks(scope, props),
  };
  for (const [step, map] of Object.entries(maps)) {
    map.addCatch(explain, { resultPath: '$.failure' });
    route.when(Condition.stringEquals('$.step', step), map.next(nextStep));
  }
  route.when(Condition.stringEquals('$.step', STEPS.finish), finalize).otherwise(unknownStep(scope));
  nextStep.next(route);
  return preprocess.next(route);
}
