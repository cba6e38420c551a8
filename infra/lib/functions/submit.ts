import { Duration, Stack } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { bedrockResources } from '../bedrock/resources';
import { ENVIRONMENT } from '../contract/environment';
import { TASK_TOKEN_ACTIONS, taskTokenResources } from '../state-machine/identity';
import { bedrockEndpoints } from './bedrock-endpoints';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Props of `SubmitFunction`. */
export interface SubmitFunctionProps extends SharedFunctionProps {
  /** The role that Bedrock takes on for the jobs. */
  readonly bedrockRole: IRole;
}

/** Stores the task token, creates the Bedrock job, and settles it at once if it is already over. */
export class SubmitFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SubmitFunctionProps) {
    super(scope, id, {
      ...props,
      name: 'submit',
      memoryMb: 256,
      timeout: Duration.minutes(1),
      environment: {
        [ENVIRONMENT.bedrockRoleArn]: props.bedrockRole.roleArn,
        [ENVIRONMENT.jobTimeoutHours]: String(props.settings.bedrockBatchInferenceTimeoutHours),
        ...bedrockEndpoints(props.settings),
      },
    });

    const bedrock = bedrockResources(Stack.of(this));
    this.allow('TrackJobs', ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'], [props.table.tableArn]);
    this.allow(
      'CreateJobs',
      ['bedrock:CreateModelInvocationJob'],
      [bedrock.foundationModels, ...bedrock.inferenceProfiles, bedrock.invocationJobs],
    );
    this.allow('ReadJobs', ['bedrock:GetModelInvocationJob'], [bedrock.invocationJobs]);
    // IAM knows no resource for this action. It finds the job of an earlier attempt that died before storing its ARN.
    this.allow('FindJobs', ['bedrock:ListModelInvocationJobs'], ['*']);
    this.allow('GiveBedrockItsRole', ['iam:PassRole'], [props.bedrockRole.roleArn], {
      StringEquals: { 'iam:PassedToService': 'bedrock.amazonaws.com' },
    });
    this.allow('AnswerTasks', TASK_TOKEN_ACTIONS, taskTokenResources(Stack.of(this)));
  }
}
