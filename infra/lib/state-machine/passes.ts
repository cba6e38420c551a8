import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Choice, Condition, type DistributedMap, Pass } from 'aws-cdk-lib/aws-stepfunctions';
import type { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { itemMap, NOTHING } from './item-map';
import { INPUT, lambdaStep } from './lambda-step';
import { WHEN_CRASHED, WHEN_CRASHED_OR_LATE, WHEN_OUT_OF_QUOTA, WHEN_THROTTLED, WHEN_TRANSIENT } from './retries';

/** The labels of the maps: part of the ARNs of their children, so no two are the same. */
export const MAP_LABELS = {
  processJobs: 'Jobs',
  retryJobs: 'Retries',
  answerOnDemand: 'OnDemand',
  joinChunks: 'Chunks',
} as const;

/** What the passes need. */
export interface PassProps {
  /** The bucket of the manifests. */
  readonly bucket: IBucket;
  /** The timeout given to each Bedrock job. */
  readonly jobTimeoutHours: number;
  readonly submit: IFunction;
  readonly postprocess: IFunction;
  readonly invoke: IFunction;
}

/** What SubmitJob needs of the run's state. */
const SUBMIT_FIELDS = ['run_id', 'execution_arn', 'model_id', 'invocation_type', 'falls_back'];

/** Two transitions per job of the manifest: submit it and wait, then write the answered rows of its chunk. */
export function processJobs(scope: Construct, props: PassProps): DistributedMap {
  const submit = submitStep(scope, 'SubmitJob', INPUT, props);
  const postprocess = postprocessStep(scope, 'PostprocessJob', 'job', props);
  return itemMap(scope, 'ProcessJobs', {
    bucket: props.bucket,
    label: MAP_LABELS.processJobs,
    fields: SUBMIT_FIELDS,
    item: 'job',
    child: submit.next(postprocess),
  });
}

/**
 * One transition per job of the manifest. Its rows are of several chunks, so their files are written by `joinChunks`,
 * when all jobs are over.
 */
export function retryJobs(scope: Construct, props: PassProps): DistributedMap {
  return itemMap(scope, 'RetryJobs', {
    bucket: props.bucket,
    label: MAP_LABELS.retryJobs,
    fields: SUBMIT_FIELDS,
    item: 'job',
    // Not `SubmitJob`: a name is a state's own throughout a state machine, maps included.
    child: submitStep(scope, 'SubmitRetryJob', NOTHING, props),
  });
}

/**
 * Asks the records of each job of the manifest one by one. An invocation that runs out of time says so, and the next
 * one goes on where it ended: Lambda's limit of 15 minutes is no limit of a job.
 */
export function answerOnDemand(scope: Construct, props: PassProps): DistributedMap {
  const answer = lambdaStep(scope, 'AnswerRecords', {
    function: props.invoke,
    payload: {
      run_id: '{% $states.input.run_id %}',
      execution_arn: '{% $states.input.execution_arn %}',
      job: '{% $states.input.job %}',
    },
    output: '{% $merge([$states.input, {"done": $states.result.Payload.done}]) %}',
    // Longer than the function's own 15 minutes: while one attempt may still be asking, no second one starts, or both
    // would pay for the same records.
    timeout: Duration.minutes(17),
    // The attempts count from the start with every trip round the loop: progress earns new ones.
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  const allAnswered = Choice.jsonPath(scope, 'AllAnswered?')
    // A choice cannot end an execution, and the child is not to return its job.
    .when(Condition.booleanEquals('$.done', true), Pass.jsonata(scope, 'AllAnswered', { outputs: NOTHING }))
    .otherwise(answer);
  return itemMap(scope, 'AnswerOnDemand', {
    bucket: props.bucket,
    label: MAP_LABELS.answerOnDemand,
    fields: ['run_id', 'execution_arn'],
    item: 'job',
    child: answer.next(allAnswered),
  });
}

/** Writes the answered rows of each chunk of the manifest again, now with what the passes since have answered. */
export function joinChunks(scope: Construct, props: PassProps): DistributedMap {
  return itemMap(scope, 'JoinChunks', {
    bucket: props.bucket,
    label: MAP_LABELS.joinChunks,
    fields: ['run_id', 'execution_arn'],
    item: 'chunk',
    child: postprocessStep(scope, 'PostprocessChunk', 'chunk', props),
  });
}

/** Creates the Bedrock job and waits until it is over. */
function submitStep(scope: Construct, id: string, output: string, props: PassProps): LambdaInvoke {
  return lambdaStep(scope, id, {
    function: props.submit,
    payload: {
      task_token: '{% $states.context.Task.Token %}',
      ...Object.fromEntries([...SUBMIT_FIELDS, 'job'].map((field) => [field, `{% $states.input.${field} %}`])),
    },
    output,
    waitForTaskToken: true,
    // Bedrock ends the job itself at its own timeout; the hour is for hearing of it.
    timeout: Duration.hours(props.jobTimeoutHours + 1),
    // States.Timeout is not among them: here it means that nothing was heard of the job, not that the step did nothing.
    retries: [WHEN_OUT_OF_QUOTA, WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED],
  });
}

/** Joins answers with their rows. */
function postprocessStep(scope: Construct, id: string, item: 'job' | 'chunk', props: PassProps): LambdaInvoke {
  return lambdaStep(scope, id, {
    function: props.postprocess,
    payload: {
      run_id: '{% $states.input.run_id %}',
      execution_arn: '{% $states.input.execution_arn %}',
      [item]: `{% $states.input.${item} %}`,
    },
    output: NOTHING,
    timeout: Duration.minutes(15),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
}
