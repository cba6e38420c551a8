import { Duration } from 'aws-cdk-lib';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../contract/environment';
import { JOB_TABLE } from '../contract/job-table';
import { PREFIXES } from '../contract/storage-prefixes';
import { readExecutions } from '../permissions/executions';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Timeout of the function. */
export const TRIGGER_TIMEOUT = Duration.minutes(1);

/** Props of `TriggerFunction`. */
export interface TriggerFunctionProps extends SharedFunctionProps {
  /** Topic of the emails. */
  readonly topic: ITopic;
  /** Queue of the events of uploads. */
  readonly queue: IQueue;
  /** Batch orchestrator. */
  readonly batch: IStateMachine;
  /** Pipeline orchestrator. */
  readonly pipelines: IStateMachine;
}

/**
 * Starts one execution per upload; an invalid upload gets an error file beside it and an email.
 *
 * Uploads come from a queue, one at a time, to at most two concurrent invocations (the minimum of AWS). While as many
 * executions run as the context allows, the function puts uploads back to the queue.
 */
export class TriggerFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: TriggerFunctionProps) {
    const { bucket, table, settings, topic, queue, batch, pipelines } = props;
    super(scope, id, {
      ...props,
      name: 'trigger',
      memoryMb: 256,
      timeout: TRIGGER_TIMEOUT,
      environment: {
        [ENVIRONMENT.batchStateMachineArn]: batch.stateMachineArn,
        [ENVIRONMENT.pipelineStateMachineArn]: pipelines.stateMachineArn,
        [ENVIRONMENT.topicArn]: topic.topicArn,
        [ENVIRONMENT.uploadQueueUrl]: queue.queueUrl,
        [ENVIRONMENT.maxUploadExecutions]: String(settings.maxUploadExecutions),
        [ENVIRONMENT.uploadedInputs]: String(settings.uploadedInputs),
        ...(settings.uploadMaxTotalRecords !== undefined && {
          [ENVIRONMENT.uploadMaxTotalRecords]: String(settings.uploadMaxTotalRecords),
        }),
        ...(settings.uploadMaxCostUsd !== undefined && {
          [ENVIRONMENT.uploadMaxCostUsd]: String(settings.uploadMaxCostUsd),
        }),
        [ENVIRONMENT.uploadRetrySeconds]: String(settings.uploadRetrySeconds),
      },
    });

    this.function.addEventSource(new SqsEventSource(queue, { batchSize: 1, maxConcurrency: 2 }));
    this.allow({ sid: 'PutUploadsBack', actions: ['sqs:SendMessage'], resources: [queue.queueArn] });
    this.allow({
      sid: 'CountExecutionsOfUploads',
      actions: ['dynamodb:GetItem', 'dynamodb:PutItem'],
      resources: [table.tableArn],
      conditions: { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': JOB_TABLE.uploadSlots } },
    });
    this.allow({
      sid: 'ReadUploadsAndWriteErrorFiles',
      actions: ['s3:GetObject', 's3:PutObject'],
      resources: [bucket.arnForObjects(`${PREFIXES.trigger}/*`)],
      wildcardReason: 'Users choose the names of their uploads, and an error file is stored beside its upload.',
    });
    // Without the right to list the bucket, S3 reports a missing key as a forbidden one.
    this.allow({ sid: 'ListBucket', actions: ['s3:ListBucket'], resources: [bucket.bucketArn] });
    this.allow({
      sid: 'StartExecutions',
      actions: ['states:StartExecution'],
      resources: [batch.stateMachineArn, pipelines.stateMachineArn],
    });
    // To find out if an upload whose event is delivered twice has its execution already, and which executions have ended.
    this.allow(readExecutions(this, props.settings));
    this.allow({ sid: 'SendEmails', actions: ['sns:Publish'], resources: [topic.topicArn] });
  }
}
