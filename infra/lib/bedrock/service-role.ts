import { Aws, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { PREFIXES } from '../contract/storage-prefixes';
import { useOfEncryptionKey } from '../permissions/encryption';
import { permit } from '../permissions/permission';
import { WILDCARD_REASONS } from '../permissions/reasons';
import type { Settings } from '../settings/keys';
import { networkPermissions } from './network-permissions';
import { bedrockResources } from './resources';

/** Props of `BedrockServiceRole`. */
export interface BedrockServiceRoleProps {
  readonly settings: Settings;
  /** Bucket that jobs read from and write to. */
  readonly bucket: IBucket;
}

/**
 * Role that Bedrock assumes while it runs a batch job: it reads the job's input, writes its output and calls the model.
 *
 * Only Bedrock may assume it, and only for a batch job of this account in this region.
 */
export class BedrockServiceRole extends Construct {
  readonly role: Role;

  constructor(scope: Construct, id: string, props: BedrockServiceRoleProps) {
    super(scope, id);
    const bedrock = bedrockResources(Stack.of(this));

    this.role = new Role(this, 'Role', {
      description: 'Assumed by Amazon Bedrock for the batch inference jobs of the orchestrator',
      assumedBy: new ServicePrincipal('bedrock.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
          ArnEquals: { 'aws:SourceArn': bedrock.invocationJobs },
        },
      }),
    });

    const ofThisAccount = { StringEquals: { 'aws:ResourceAccount': Aws.ACCOUNT_ID } };
    const jobInputs = props.bucket.arnForObjects(`${PREFIXES.jobInputs}/*`);
    const jobOutputs = props.bucket.arnForObjects(`${PREFIXES.jobOutputs}/*`);
    permit(this.role, {
      // Not narrowed to prefixes: without the right to list the bucket, S3 reports a missing key as a forbidden one.
      sid: 'ListBucket',
      actions: ['s3:ListBucket'],
      resources: [props.bucket.bucketArn],
      conditions: ofThisAccount,
    });
    permit(this.role, {
      sid: 'ReadJobData',
      actions: ['s3:GetObject'],
      resources: [jobInputs, jobOutputs],
      conditions: ofThisAccount,
      wildcardReason: WILDCARD_REASONS.runData,
    });
    permit(this.role, {
      sid: 'WriteJobOutputs',
      actions: ['s3:PutObject'],
      resources: [jobOutputs],
      conditions: ofThisAccount,
      wildcardReason: WILDCARD_REASONS.runData,
    });
    for (const permission of useOfEncryptionKey(props.settings)) permit(this.role, permission);
    for (const permission of networkPermissions(Stack.of(this), props.settings)) permit(this.role, permission);
    permit(this.role, {
      // As in AWS's policy for batch inference: a job of an inference profile looks up the models behind it.
      sid: 'ReadInferenceProfiles',
      actions: ['bedrock:GetInferenceProfile'],
      resources: [...bedrock.inferenceProfiles],
      wildcardReason: WILDCARD_REASONS.models,
    });
    permit(this.role, {
      sid: 'CallModels',
      actions: ['bedrock:InvokeModel'],
      resources: [bedrock.foundationModels, ...bedrock.inferenceProfiles],
      wildcardReason: WILDCARD_REASONS.models,
    });
  }
}
