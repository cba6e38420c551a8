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
  readonly topic: ITopic;
  readonly batch: IStateMachine;
  readonly pipelines: IStateMachine;
}

/** Starts what an upload asks for, once; an upload that cannot start gets an error file beside it, and an email. */
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
      wildcardReason: 'Users choose the names of what they upload, and an error file lies beside its upload.',
    });
    // A missing key is told from a forbidden one only by who may list the bucket.
    this.allow({ sid: 'ListBucket', actions: ['s3:ListBucket'], resources: [bucket.bucketArn] });
    this.allow({
      sid: 'StartExecutions',
      actions: ['states:StartExecution'],
      resources: [batch.stateMachineArn, pipelines.stateMachineArn],
    });
    // Whether an upload that comes twice has its execution already.
    this.allow(readExecutions(this));
    this.allow({ sid: 'SendEmails', actions: ['sns:Publish'], resources: [topic.topicArn] });
  }
}
