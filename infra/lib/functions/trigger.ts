import { Duration } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../contract/environment';
import { PREFIXES } from '../contract/storage-prefixes';
import { readExecutions } from '../permissions/executions';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Props of `TriggerFunction`. */
export interface TriggerFunctionProps extends SharedFunctionProps {
  /** Topic of the emails. */
  readonly topic: ITopic;
  /** Batch orchestrator. */
  readonly batch: IStateMachine;
  /** Pipeline orchestrator. */
  readonly pipelines: IStateMachine;
}

/** Starts one execution per upload; an invalid upload gets an error file beside it and an email. */
export class TriggerFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: TriggerFunctionProps) {
    const { bucket, topic, batch, pipelines } = props;
    super(scope, id, {
      ...props,
      name: 'trigger',
      memoryMb: 256,
      timeout: Duration.minutes(1),
      environment: {
        [ENVIRONMENT.batchStateMachineArn]: batch.stateMachineArn,
        [ENVIRONMENT.pipelineStateMachineArn]: pipelines.stateMachineArn,
        [ENVIRONMENT.topicArn]: topic.topicArn,
      },
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
    // To find out if an upload whose event is delivered twice has its execution already.
    this.allow(readExecutions(this));
    this.allow({ sid: 'SendEmails', actions: ['sns:Publish'], resources: [topic.topicArn] });
  }
}
