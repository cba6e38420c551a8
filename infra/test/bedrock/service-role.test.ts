import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { statementsOf } from '../policies';

const template = exampleTemplate();

test('only Bedrock may assume the role, for a batch job of this account and region', () => {
  template.hasResourceProperties('AWS::IAM::Role', {
    AssumeRolePolicyDocument: {
      Statement: [
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Principal: { Service: 'bedrock.amazonaws.com' },
          Condition: {
            StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
            ArnEquals: {
              'aws:SourceArn': {
                'Fn::Join': [
                  '',
                  Match.arrayWith([
                    ':bedrock:',
                    { Ref: 'AWS::Region' },
                    ':',
                    { Ref: 'AWS::AccountId' },
                    ':model-invocation-job/*',
                  ]),
                ],
              },
            },
          },
        },
      ],
    },
  });
});

test('the role reads job data, writes job outputs, looks up profiles and calls models, and nothing else', () => {
  const ofThisAccount = { StringEquals: { 'aws:ResourceAccount': { Ref: 'AWS::AccountId' } } };
  expect(statementsOf(template, 'BedrockServiceRole')).toEqual([
    { sid: 'ListBucket', actions: ['s3:ListBucket'], resources: ['<DataBucket.Arn>'], conditions: ofThisAccount },
    {
      sid: 'ReadJobData',
      actions: ['s3:GetObject'],
      resources: ['<DataBucket.Arn>/batch_inputs_json/*', '<DataBucket.Arn>/batch_outputs_json/*'],
      conditions: ofThisAccount,
    },
    {
      sid: 'WriteJobOutputs',
      actions: ['s3:PutObject'],
      resources: ['<DataBucket.Arn>/batch_outputs_json/*'],
      conditions: ofThisAccount,
    },
    {
      sid: 'ReadInferenceProfiles',
      actions: ['bedrock:GetInferenceProfile'],
      resources: [
        'arn:<AWS::Partition>:bedrock:*:<AWS::AccountId>:inference-profile/*',
        'arn:<AWS::Partition>:bedrock:*:<AWS::AccountId>:application-inference-profile/*',
      ],
    },
    {
      sid: 'CallModels',
      actions: ['bedrock:InvokeModel'],
      resources: [
        'arn:<AWS::Partition>:bedrock:*::foundation-model/*',
        'arn:<AWS::Partition>:bedrock:*:<AWS::AccountId>:inference-profile/*',
        'arn:<AWS::Partition>:bedrock:*:<AWS::AccountId>:application-inference-profile/*',
      ],
    },
  ]);
});
