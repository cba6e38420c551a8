import { Aws, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  BucketNamespace,
  type CfnBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { encryptionKey } from '../permissions/encryption';
import type { Settings } from '../settings/keys';

/**
 * The bucket of all data: inputs, the files that Bedrock reads and writes, answers, plans and reports.
 *
 * It holds users' data, so it is retained when the stack is deleted, unless its first deployment failed: then it is empty,
 * and would block the second one. It has no versioning: files that are overwritten
 * (answered rows, after each round) are made from files that never change, and old versions of multi-gigabyte inputs
 * would continue to cost money after their owner deleted them.
 */
export class DataBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string, settings: Pick<Settings, 'stage' | 'encryptionKeyArn'>) {
    super(scope, id);
    const { stage } = settings;
    const key = encryptionKey(this, settings);

    this.bucket = new Bucket(this, 'Bucket', {
      bucketName:
        stage === undefined
          ? `batch-inference-bucket-${Aws.ACCOUNT_ID}`
          : `bedrock-batch-${stage}-${Aws.ACCOUNT_ID}-${Aws.REGION}-an`,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      // With a bucket key, S3 asks KMS once per some minutes, and not once per object.
      ...(key === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : { encryption: BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }),
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
      lifecycleRules: [{ id: 'abort-incomplete-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) }],
    });

    const resource = this.bucket.node.defaultChild as CfnBucket;
    // Such a name is reserved for the account: no one else can have taken it, in any region. With the whole name and not by
    // CDK's prefix, of which only AWS makes the name.
    if (stage !== undefined) resource.bucketNamespace = BucketNamespace.ACCOUNT_REGIONAL;
    // Not through `eventBridgeEnabled`: that adds a custom resource with its own function to set one flag.
    resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };

    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Only the roles of this stack and grants of the account reach the bucket. Access logs would need a second bucket that grows with each of the many small reads; CloudTrail data events serve those who need them.',
    });
  }
}
