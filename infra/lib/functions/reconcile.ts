import { Duration, Stack } from 'aws-cdk-lib';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { bedrockResources } from '../bedrock/resources';
import { ENVIRONMENT } from '../contract/environment';
import { JOB_TABLE } from '../contract/job-table';
import { PREFIXES } from '../contract/storage-prefixes';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { batchStateMachineName } from '../settings/names';
import { executionResource, TASK_TOKEN_ACTIONS, taskTokenResources } from '../state-machine/identity';
import { bedrockEndpoints } from './bedrock-endpoints';
import { WORKING_FILES, workingFileSettings } from './working-files';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Settles open jobs that have been silent, and stops those that no execution waits for any longer. */
export class ReconcileFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SharedFunctionProps) {
    const { bucket, settings, table } = props;
    super(scope, id, {
      ...props,
      name: 'reconcile',
      memoryMb: 256,
      timeout: Duration.minutes(5),
      environment: {
        [ENVIRONMENT.silentSeconds]: String(settings.reconcileSilentSeconds),
        ...bedrockEndpoints(settings),
        ...workingFileSettings(settings),
      },
    });
    if (settings.deleteWorkingFilesAfterDays !== undefined) this.allowDeletion(bucket);

    this.allow({
      sid: 'FindOpenJobs',
      actions: ['dynamodb:Query'],
      resources: [`${table.tableArn}/index/${JOB_TABLE.openIndex.name}`],
    });
    this.allow({
      sid: 'TrackJobs',
      actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      resources: [table.tableArn],
    });
    this.allow({
      sid: 'ReadAndStopJobs',
      actions: ['bedrock:GetModelInvocationJob', 'bedrock:StopModelInvocationJob'],
      resources: [bedrockResources(Stack.of(this)).invocationJobs],
      wildcardReason: WILDCARD_REASONS.jobs,
    });
    this.allow({
      sid: 'FindJobs',
      actions: ['bedrock:ListModelInvocationJobs'],
      resources: ['*'],
      wildcardReason: WILDCARD_REASONS.jobListing,
    });
    this.allow({
      sid: 'SeeWhetherExecutionsRun',
      actions: ['states:DescribeExecution'],
      resources: [executionResource(Stack.of(this), batchStateMachineName(props.settings))],
      wildcardReason: WILDCARD_REASONS.executions,
    });
    this.allow({
      sid: 'AnswerTasks',
      actions: TASK_TOKEN_ACTIONS,
      resources: taskTokenResources(Stack.of(this), props.settings),
      wildcardReason: WILDCARD_REASONS.taskTokens,
    });
  }

  /** Grants what deleting the working files of completed runs needs. */
  private allowDeletion(bucket: IBucket): void {
    this.allow({ sid: 'FindWorkingFiles', actions: ['s3:ListBucket'], resources: [bucket.bucketArn] });
    this.allow({
      sid: 'ReadWhichFilesAreDue',
      actions: ['s3:GetObject'],
      resources: [bucket.arnForObjects(`${PREFIXES.expiring}/*`)],
      wildcardReason: WILDCARD_REASONS.runData,
    });
    this.allow({
      sid: 'DeleteWorkingFiles',
      actions: ['s3:DeleteObject'],
      resources: [...WORKING_FILES, PREFIXES.expiring].map((prefix) => bucket.arnForObjects(`${prefix}/*`)),
      wildcardReason: WILDCARD_REASONS.runData,
    });
  }
}
