import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { DistributedMap, JsonPath, S3JsonItemReader, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { INPUT, lambdaStep } from './lambda-step';
import { WHEN_CRASHED, WHEN_CRASHED_OR_LATE, WHEN_OUT_OF_QUOTA, WHEN_THROTTLED, WHEN_TRANSIENT } from './retries';

/** The label of the map: part of the ARNs of its children. */
export const JOBS_MAP_LABEL = 'Jobs';

/** Props of `processJobs`. */
export interface ProcessJobsProps {
  /** The bucket of the job manifest. */
  readonly bucket: IBucket;
  readonly submit: IFunction;
  readonly postprocess: IFunction;
  /** The timeout given to each Bedrock job. */
  readonly jobTimeoutHours: number;
}

/**
 * One child execution per job of the manifest, two transitions each: submit and wait, then write the answers.
 *
 * The state's output is its input: children return one byte, and even those are dropped. What they did is in S3 and in
 * the table. Without a tolerated failure, the first child that fails ends the run.
 *
 * This state alone speaks JSONPath: it needs nothing more, and the local stack evaluates no JSONata in the fields of a
 * Distributed Map. (A state may choose its language as long as the state machine's own is JSONPath.)
 */
export function processJobs(scope: Construct, props: ProcessJobsProps): DistributedMap {
  const submit = lambdaStep(scope, 'SubmitJob', {
    function: props.submit,
    payload: {
      task_token: '{% $states.context.Task.Token %}',
      run_id: '{% $states.input.run_id %}',
      model_id: '{% $states.input.model_id %}',
      invocation_type: '{% $states.input.invocation_type %}',
      job: '{% $states.input.job %}',
    },
    output: INPUT,
    waitForTaskToken: true,
    // Bedrock ends the job itself at its own timeout; the hour is for hearing of it.
    timeout: Duration.hours(props.jobTimeoutHours + 1),
    // States.Timeout is not among them: here it means that nothing was heard of the job, not that the step did nothing.
    retries: [WHEN_OUT_OF_QUOTA, WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED],
  });

  const postprocess = lambdaStep(scope, 'PostprocessJob', {
    function: props.postprocess,
    payload: { run_id: '{% $states.input.run_id %}', job: '{% $states.input.job %}' },
    output: '{% 0 %}',
    timeout: Duration.minutes(15),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });

  return DistributedMap.jsonPath(scope, 'ProcessJobs', {
    label: JOBS_MAP_LABEL,
    mapExecutionType: StateMachineType.STANDARD,
    itemReader: new S3JsonItemReader({
      bucketNamePath: JsonPath.stringAt('$.bucket'),
      key: JsonPath.stringAt('$.jobs_key'),
    }),
    maxConcurrencyPath: JsonPath.stringAt('$.max_concurrent_jobs'),
    itemSelector: {
      run_id: JsonPath.stringAt('$.run_id'),
      model_id: JsonPath.stringAt('$.model_id'),
      invocation_type: JsonPath.stringAt('$.invocation_type'),
      job: JsonPath.objectAt('$$.Map.Item.Value'),
    },
    resultPath: JsonPath.DISCARD,
  }).itemProcessor(submit.next(postprocess));
}
