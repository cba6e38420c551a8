import { Duration, Stack } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { bedrockResources } from '../bedrock/resources';
import { ENVIRONMENT } from '../contract/environment';
import { SUBSCRIBE_TO_MODELS } from '../permissions/marketplace';
import { WILDCARD_REASONS } from '../permissions/reasons';
import type { Settings } from '../settings/keys';
import { TASK_TOKEN_ACTIONS, taskTokenResources } from '../state-machine/identity';
import { bedrockEndpoints } from './bedrock-endpoints';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Props of `SubmitFunction`. */
export interface SubmitFunctionProps extends SharedFunctionProps {
  /** Role that Bedrock assumes for the jobs. */
  readonly bedrockRole: IRole;
}

/** Stores the task token, creates the Bedrock job, and settles the job at once if it is already over. */
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
        ...jobSettings(props.settings),
        ...bedrockEndpoints(props.settings),
      },
    });

    const bedrock = bedrockResources(Stack.of(this));
    this.allow({
      sid: 'TrackJobs',
      actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      resources: [props.table.tableArn],
    });
    this.allow({
      sid: 'CreateJobsOfModels',
      actions: ['bedrock:CreateModelInvocationJob'],
      resources: [bedrock.foundationModels, ...bedrock.inferenceProfiles],
      wildcardReason: WILDCARD_REASONS.models,
    });
    if (props.settings.marketplaceSubscriptions) this.allow(SUBSCRIBE_TO_MODELS);
    this.allow({
      // Stopping is for a job that was created while its run was being stopped: no other function knows of it yet.
      sid: 'CreateReadAndStopJobs',
      // Tagging is for the tags that a job is created with.
      actions: [
        'bedrock:CreateModelInvocationJob',
        'bedrock:GetModelInvocationJob',
        'bedrock:StopModelInvocationJob',
        'bedrock:TagResource',
      ],
      resources: [bedrock.invocationJobs],
      wildcardReason: WILDCARD_REASONS.jobs,
    });
    this.allow({
      sid: 'FindJobs',
      actions: ['bedrock:ListModelInvocationJobs'],
      resources: ['*'],
      wildcardReason: WILDCARD_REASONS.jobListing,
    });
    this.allow({
      sid: 'GiveBedrockItsRole',
      actions: ['iam:PassRole'],
      resources: [props.bedrockRole.roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'bedrock.amazonaws.com' } },
    });
    this.allow({
      sid: 'AnswerTasks',
      actions: TASK_TOKEN_ACTIONS,
      resources: taskTokenResources(Stack.of(this), props.settings),
      wildcardReason: WILDCARD_REASONS.taskTokens,
    });
  }
}

/** Returns the variables of what all jobs are created with; none where the context sets nothing. */
function jobSettings(settings: Settings): Record<string, string> {
  const { encryptionKeyArn, jobSubnetIds, jobSecurityGroupIds, stage } = settings;
  const tags = { ...settings.tags, ...(stage !== undefined && { 'bedrock-batch:stage': stage }) };
  const texts = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  return {
    ...(encryptionKeyArn !== undefined && { [ENVIRONMENT.jobOutputKeyArn]: encryptionKeyArn }),
    ...(jobSubnetIds.length > 0 && {
      [ENVIRONMENT.jobSubnetIds]: jobSubnetIds.join(','),
      [ENVIRONMENT.jobSecurityGroupIds]: jobSecurityGroupIds.join(','),
    }),
    ...(texts.length > 0 && { [ENVIRONMENT.jobTags]: texts.join(',') }),
  };
}
