import { Aws, Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/**
 * The bucket of all data: inputs, the files that Bedrock reads and writes, answers, plans and reports.
 *
 * It holds users' data, so it is retained when the stack is deleted. It has no versioning: files that are overwritten
 * (answered rows, after each round) are made from files that never change, and old versions of multi-gigabyte inputs
 * would continue to cost money after their owner deleted them.
 */
export class DataBucket extends Construct {
  readonly bucket: Bucket;

  constructor(scope: Construct, id: string) {
    super(scope, id);

    this.bucket = new Bucket(this, 'Bucket', {
      bucketName: `batch-inference-bucket-${Aws.ACCOUNT_ID}`,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: [{ id: 'abort-incomplete-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) }],
    });

    // Not through `eventBridgeEnabled`: that adds a custom resource with its own function to set one flag.
    const resource = this.bucket.node.defaultChild as CfnBucket;
    resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };

    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Only the roles of this stack and grants of the account reach the bucket. Access logs would need a second bucket that grows with each of the many small reads; CloudTrail data events serve those who need them.',
    });
  }
}
