import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';

const template = exampleTemplate();

describe('the bucket', () => {
  test('has a predictable name', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      BucketName: { 'Fn::Join': ['', ['batch-inference-bucket-', { Ref: 'AWS::AccountId' }]] },
    });
  });

  test('of a stage has a name that is reserved for the account in the region', () => {
    exampleTemplate({ stage: 'dev' }).hasResourceProperties('AWS::S3::Bucket', {
      BucketName: {
        'Fn::Join': ['', ['bedrock-batch-dev-', { Ref: 'AWS::AccountId' }, '-', { Ref: 'AWS::Region' }, '-an']],
      },
      BucketNamespace: 'account-regional',
    });
  });

  test('is private and encrypted, without access control lists', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
  });

  test('refuses requests without TLS, and grants no access by its policy', () => {
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: [
          Match.objectLike({
            Effect: 'Deny',
            Action: 's3:*',
            Principal: { AWS: '*' },
            Condition: { Bool: { 'aws:SecureTransport': 'false' } },
          }),
        ],
      },
    });
  });

  test('sends its events to EventBridge', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
    });
  });

  test('aborts incomplete uploads after a week', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      LifecycleConfiguration: {
        Rules: [Match.objectLike({ Status: 'Enabled', AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } })],
      },
    });
  });
});

describe('the job table', () => {
  test('can be restored, is encrypted, and is billed per request', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      BillingMode: 'PAY_PER_REQUEST',
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      SSESpecification: { SSEEnabled: true },
    });
  });

  test('deletes items at `expires_at`', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      TimeToLiveSpecification: { AttributeName: 'expires_at', Enabled: true },
    });
  });

  test('has an index of the jobs of a run and one of open jobs', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [{ AttributeName: 'job_name', KeyType: 'HASH' }],
      AttributeDefinitions: Match.arrayWith([
        { AttributeName: 'job_name', AttributeType: 'S' },
        { AttributeName: 'run_id', AttributeType: 'S' },
        { AttributeName: 'job_index', AttributeType: 'N' },
        { AttributeName: 'open', AttributeType: 'S' },
        { AttributeName: 'updated_at', AttributeType: 'S' },
      ]),
      GlobalSecondaryIndexes: [
        {
          IndexName: 'run-index',
          KeySchema: [
            { AttributeName: 'run_id', KeyType: 'HASH' },
            { AttributeName: 'job_index', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
        {
          IndexName: 'open-index',
          KeySchema: [
            { AttributeName: 'open', KeyType: 'HASH' },
            { AttributeName: 'updated_at', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    });
  });
});

test.each(['AWS::S3::Bucket', 'AWS::DynamoDB::Table'])(
  '%s is retained when the stack is deleted, unless its first deployment failed',
  (type) => {
    const resources = Object.values(template.findResources(type));
    expect(resources).toHaveLength(1);
    expect(resources[0]).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
  },
);
