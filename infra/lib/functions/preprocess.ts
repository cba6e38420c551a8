import { Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { modelLookupPermissions } from '../bedrock/model-lookup';
import { JOB_TABLE } from '../contract/job-table';
import { PREFIXES } from '../contract/storage-prefixes';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { batchStateMachineName } from '../settings/names';
import { executionResource } from '../state-machine/identity';
import { bedrockEndpoints } from './bedrock-endpoints';
import { inputSettings, inputPermissions } from './inputs';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/**
 * Checks the execution's input, reads the rows and writes the chunks, the plan and the job manifest; later, decides the
 * next step of the run and writes its manifest.
 */
export class PreprocessFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SharedFunctionProps) {
    const { settings, bucket, table } = props;
    super(scope, id, {
      ...props,
      name: 'preprocess',
      memoryMb: settings.preprocessFunctionMemoryMb,
      timeout: Duration.minutes(15),
      environment: { ...inputSettings(settings), ...bedrockEndpoints(settings) },
    });

    for (const permission of inputPermissions(Stack.of(this), bucket, settings)) this.allow(permission);
    for (const permission of modelLookupPermissions(Stack.of(this))) this.allow(permission);
    if (settings.jobQuota === undefined) {
      this.allow({
        // A run does not need it: without it, runs share no quota, and have a warning.
        sid: 'SeeQuotas',
        actions: ['servicequotas:ListServiceQuotas'],
        resources: ['*'],
        wildcardReason: WILDCARD_REASONS.quotaListing,
      });
    }
    this.allow({
      sid: 'WriteChunksAndPlan',
      actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
      resources: [PREFIXES.jobInputs, PREFIXES.inputRows, PREFIXES.runs].map((prefix) =>
        bucket.arnForObjects(`${prefix}/*`),
      ),
      wildcardReason: WILDCARD_REASONS.runData,
    });
    this.allow({
      sid: 'ReadJobsOfRun',
      actions: ['dynamodb:Query'],
      resources: [`${table.tableArn}/index/${JOB_TABLE.runIndex.name}`],
    });
    this.allow({
      sid: 'OwnRunAndTrackJobs',
      actions: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'],
      resources: [table.tableArn],
    });
    this.allow({
      // Another execution may continue a run only after the execution that owns it has ended.
      sid: 'SeeWhetherExecutionsRun',
      actions: ['states:DescribeExecution'],
      resources: [executionResource(Stack.of(this), batchStateMachineName(props.settings))],
      wildcardReason: WILDCARD_REASONS.executions,
    });
  }
}
