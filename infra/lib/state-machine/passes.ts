import { Duration } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Choice, Condition, type DistributedMap, Pass } from 'aws-cdk-lib/aws-stepfunctions';
import type { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { itemMap, ONE_BYTE } from './item-map';
import { INPUT, lambdaStep } from './lambda-step';
import { fromInput, payload, resultPath } from './payload';
import {
  WHEN_CRASHED,
  WHEN_CRASHED_OR_LATE,
  WHEN_OUT_OF_QUOTA,
  WHEN_THROTTLED,
  WHEN_TRANSIENT,
  WHEN_WITHOUT_NEWS,
} from './retries';

/** Labels of the maps. They become part of the ARNs of their children, so each is unique. */
export const MAP_LABELS = {
  processJobs: 'Jobs',
  retryJobs: 'Retries',
  answerOnDemand: 'OnDemand',
  joinChunks: 'Chunks',
} as const;

/** Props of the passes. */
export interface PassProps {
  /** Bucket of the manifests. */
  readonly bucket: IBucket;
  /** Timeout of each Bedrock job. */
  readonly jobTimeoutHours: number;
  readonly submit: LambdaFunction;
  readonly postprocess: LambdaFunction;
  readonly invoke: LambdaFunction;
}

/** Fields of the run's state that a submission needs. */
const SUBMIT_FIELDS = ['run_id', 'execution_arn', 'model_id', 'invocation_type', 'falls_back'] as const;

/** Creates the first pass. Each job takes two transitions: submit it and wait, then write the answered rows of its chunk. */
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
 * Creates a later batch pass. Each job takes one transition: its rows belong to several chunks, whose files `joinChunks`
 * writes when all jobs are over.
 */
export function retryJobs(scope: Construct, props: PassProps): DistributedMap {
  return itemMap(scope, 'RetryJobs', {
    bucket: props.bucket,
    label: MAP_LABELS.retryJobs,
    fields: SUBMIT_FIELDS,
    item: 'job',
    // Not `SubmitJob`: names of states are unique in the whole state machine, maps included.
    child: submitStep(scope, 'SubmitRetryJob', ONE_BYTE, props),
  });
}

/**
 * Creates an on-demand pass, which prompts the records of each job one by one. An invocation that runs out of time
 * reports it, and the next one continues where it ended, so a job may take longer than Lambda's 15 minutes.
 */
export function answerOnDemand(scope: Construct, props: PassProps): DistributedMap {
  const answer = lambdaStep(scope, 'AnswerRecords', {
    function: props.invoke,
    payload: payload('invoke', fromInput('run_id', 'execution_arn', 'job')),
    output: '{% $merge([$states.input, {"done": $states.result.Payload.done}]) %}',
    // Longer than the function's own 15 minutes: no second attempt starts while the first may still send requests, or
    // both would pay for the same records.
    timeout: Duration.minutes(17),
    // Each iteration of the loop has its own attempts: progress earns new ones.
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
  const allAnswered = Choice.jsonPath(scope, 'AllAnswered?')
    // A choice cannot end an execution, and the child must not return its job.
    .when(
      Condition.booleanEquals(resultPath('invoked', 'done'), true),
      Pass.jsonata(scope, 'AllAnswered', { outputs: ONE_BYTE }),
    )
    .otherwise(answer);
  return itemMap(scope, 'AnswerOnDemand', {
    bucket: props.bucket,
    label: MAP_LABELS.answerOnDemand,
    fields: ['run_id', 'execution_arn'],
    item: 'job',
    child: answer.next(allAnswered),
  });
}

/** Creates the map that writes the answered rows of each chunk again, with the answers of all passes so far. */
export function joinChunks(scope: Construct, props: PassProps): DistributedMap {
  return itemMap(scope, 'JoinChunks', {
    bucket: props.bucket,
    label: MAP_LABELS.joinChunks,
    fields: ['run_id', 'execution_arn'],
    item: 'chunk',
    child: postprocessStep(scope, 'PostprocessChunk', 'chunk', props),
  });
}

/** Creates the state that creates a Bedrock job and waits until it is over. */
function submitStep(scope: Construct, id: string, output: string, props: PassProps): LambdaInvoke {
  return lambdaStep(scope, id, {
    function: props.submit,
    payload: payload('submit', {
      task_token: '{% $states.context.Task.Token %}',
      // They order the attempts, so that a late one cannot replace the token that the state waits for. The first field
      // exists only after a redrive.
      redrive_count:
        '{% $exists($states.context.Execution.RedriveCount) ? $states.context.Execution.RedriveCount : 0 %}',
      retry_count: '{% $states.context.State.RetryCount %}',
      ...fromInput(...SUBMIT_FIELDS, 'job'),
    }),
    output,
    waitForTaskToken: true,
    // Bedrock itself ends the job at its timeout. One that is late is stopped an hour later by the reconciler, and given up after
    // another hour; the others are for the reconciler's turn.
    timeout: Duration.hours(props.jobTimeoutHours + 4),
    retries: [WHEN_OUT_OF_QUOTA, WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED, WHEN_WITHOUT_NEWS],
  });
}

/** Creates the state that joins answers with their rows. */
function postprocessStep(scope: Construct, id: string, item: 'job' | 'chunk', props: PassProps): LambdaInvoke {
  return lambdaStep(scope, id, {
    function: props.postprocess,
    payload:
      item === 'job'
        ? payload('postprocessJob', fromInput('run_id', 'execution_arn', 'job'))
        : payload('postprocessChunk', fromInput('run_id', 'execution_arn', 'chunk')),
    output: ONE_BYTE,
    timeout: Duration.minutes(15),
    retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
  });
}
