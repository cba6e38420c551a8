import { Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { bedrockResources } from '../bedrock/resources';
import { ENVIRONMENT } from '../contract/environment';
import { PREFIXES } from '../contract/storage-prefixes';
import { SUBSCRIBE_TO_MODELS } from '../permissions/marketplace';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { bedrockEndpoints } from './bedrock-endpoints';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Invokes a model on demand for the records of one job, and stores each answer once. */
export class InvokeFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SharedFunctionProps) {
    const { settings, bucket, table } = props;
    super(scope, id, {
      ...props,
      name: 'invoke',
      memoryMb: settings.invokeFunctionMemoryMb,
      timeout: Duration.minutes(15),
      environment: {
        [ENVIRONMENT.invocationSeconds]: String(settings.onDemandInvocationSeconds),
        ...bedrockEndpoints(settings),
      },
    });

    const bedrock = bedrockResources(Stack.of(this));
    // Not narrowed to prefixes: without the right to list the bucket, S3 reports a missing key as a forbidden one.
    this.allow({ sid: 'ListBucket', actions: ['s3:ListBucket'], resources: [bucket.bucketArn] });
    this.allow({
      sid: 'ReadPlanAndRecordsAndAnswers',
      actions: ['s3:GetObject'],
      resources: [PREFIXES.runs, PREFIXES.jobInputs, PREFIXES.jobOutputs].map((prefix) =>
        bucket.arnForObjects(`${prefix}/*`),
      ),
      wildcardReason: WILDCARD_REASONS.runData,
    });
    this.allow({
      sid: 'WriteAnswers',
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects(`${PREFIXES.jobOutputs}/*`)],
      wildcardReason: WILDCARD_REASONS.runData,
    });
    this.allow({
      sid: 'CallModels',
      actions: ['bedrock:InvokeModel'],
      resources: [bedrock.foundationModels, ...bedrock.inferenceProfiles],
      wildcardReason: WILDCARD_REASONS.models,
    });
    if (settings.marketplaceSubscriptions) this.allow(SUBSCRIBE_TO_MODELS);
    this.allow({
      sid: 'TrackJobs',
      actions: ['dynamodb:GetItem', 'dynamodb:UpdateItem'],
      resources: [table.tableArn],
    });
  }
}
