import { Match, type Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { exampleTemplate } from './example-stack';
import { actionsOf, reach, statementsOf } from './policies';

const KEY = 'arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-4000-8000-0123456789ab';
const INPUT_KEY = 'arn:aws:kms:us-east-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef';
const plain = exampleTemplate();
const encrypted = exampleTemplate({ encryptionKeyArn: KEY, inputKeyArns: INPUT_KEY });

function rolesOf(template: Template): string[] {
  return Object.keys(template.findResources('AWS::IAM::Role'));
}

/** Returns the roles that may use a key for an action. */
function rolesWith(template: Template, action: string, key: string): string[] {
  return rolesOf(template)
    .filter((role) => reach(template, role, action).includes(key))
    .map((role) => role.replace(/(Role)?[0-9A-F]{8}$/, ''))
    .sort();
}

test('without keys in the context, no role has a permission of KMS', () => {
  for (const role of rolesOf(plain)) {
    expect(actionsOf(plain, role).filter((action) => action.startsWith('kms:'))).toEqual([]);
  }
});

test('the key of the account encrypts everything that the stack stores', () => {
  encrypted.hasResourceProperties('AWS::S3::Bucket', {
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        {
          BucketKeyEnabled: true,
          ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: KEY },
        },
      ],
    },
  });
  encrypted.hasResourceProperties('AWS::DynamoDB::Table', {
    SSESpecification: { SSEEnabled: true, SSEType: 'KMS', KMSMasterKeyId: KEY },
  });
  encrypted.allResourcesProperties('AWS::SNS::Topic', { KmsMasterKeyId: KEY });
  encrypted.allResourcesProperties('AWS::SQS::Queue', { KmsMasterKeyId: KEY });
  encrypted.allResourcesProperties('AWS::Logs::LogGroup', { KmsKeyId: KEY });
  encrypted.allResourcesProperties('AWS::SecretsManager::Secret', { KmsKeyId: KEY });
  encrypted.hasResourceProperties('AWS::Lambda::Function', {
    FunctionName: 'bedrock-batch-submit',
    Environment: { Variables: Match.objectLike({ JOB_OUTPUT_KEY_ARN: KEY }) },
  });
});

test('all functions, Bedrock and the state machine that reads manifests use the key of the account', () => {
  const roles = rolesWith(encrypted, 'kms:Decrypt', KEY);
  expect(roles).toHaveLength(15);
  expect(roles).toEqual(expect.arrayContaining(['BatchStateMachine', 'BedrockService', 'Download', 'Submit']));
  expect(rolesWith(encrypted, 'kms:GenerateDataKey', KEY)).toEqual(roles);
});

test('functions that read inputs decrypt them with the keys of inputs, and do nothing else with these', () => {
  expect(rolesWith(encrypted, 'kms:Decrypt', INPUT_KEY)).toEqual(['Classifier', 'Preprocess', 'Validate']);
  expect(rolesWith(encrypted, 'kms:GenerateDataKey', INPUT_KEY)).toEqual([]);
});

test('jobs in a VPC have its subnets and security groups, and Bedrock may create interfaces in these alone', () => {
  const template = exampleTemplate({ jobSubnetIds: 'subnet-0a,subnet-0b', jobSecurityGroupIds: ['sg-0c'] });
  template.hasResourceProperties('AWS::Lambda::Function', {
    FunctionName: 'bedrock-batch-submit',
    Environment: {
      Variables: Match.objectLike({ JOB_SUBNET_IDS: 'subnet-0a,subnet-0b', JOB_SECURITY_GROUP_IDS: 'sg-0c' }),
    },
  });
  const ec2 = 'arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>';
  const job = {
    'Fn::Join': Match.anyValue(),
  };
  const statements = statementsOf(template, 'BedrockServiceRole').filter(({ actions }) =>
    actions[0]?.startsWith('ec2:'),
  );
  expect(statements.map(({ sid }) => sid)).toEqual([
    'SeeNetwork',
    'CreateNetworkInterfacesOfJobs',
    'RemoveNetworkInterfacesOfJobs',
    'TagNetworkInterfacesOfJobs',
  ]);
  expect(statements[1]?.resources).toEqual(
    ['network-interface/*', 'subnet/subnet-0a', 'subnet/subnet-0b', 'security-group/sg-0c'].map((id) => `${ec2}:${id}`),
  );
  template.hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Sid: 'CreateNetworkInterfacesOfJobs',
          Condition: {
            StringEquals: { 'aws:RequestTag/BedrockManaged': 'true' },
            ArnEquals: { 'aws:RequestTag/BedrockModelInvocationJobArn': job },
          },
        }),
      ]),
    },
  });
  expect(actionsOf(plain, 'BedrockServiceRole').filter((action) => action.startsWith('ec2:'))).toEqual([]);
});

test('tags of the context are those of the stack and of jobs, which also have the stage', () => {
  const template = exampleTemplate({ stage: 'dev', tags: 'project=tickets,team=night shift' });
  const functions = Object.values(template.findResources('AWS::Lambda::Function')) as {
    Properties: { Environment: { Variables: Record<string, string> } };
  }[];
  expect(functions.flatMap(({ Properties }) => Properties.Environment.Variables.JOB_TAGS ?? [])).toEqual([
    'project=tickets,team=night shift,bedrock-batch:stage=dev',
  ]);
});
