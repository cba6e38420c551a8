import { expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { statementsOf } from '../policies';

const SENDERS = ['SubmitRole', 'InvokeRole', 'BedrockServiceRole'];

test('no role may subscribe to models by default', () => {
  const policies = exampleTemplate().findResources('AWS::IAM::Policy');
  expect(JSON.stringify(policies)).not.toContain('aws-marketplace');
});

test('with marketplaceSubscriptions the roles that send requests to models may, through Bedrock alone', () => {
  const template = exampleTemplate({ marketplaceSubscriptions: true });
  const allowed = SENDERS.map((role) => statementsOf(template, role).filter(({ sid }) => sid === 'SubscribeToModels'));
  const expected = {
    sid: 'SubscribeToModels',
    actions: ['aws-marketplace:Subscribe', 'aws-marketplace:Unsubscribe', 'aws-marketplace:ViewSubscriptions'],
    resources: ['*'],
    conditions: { StringEquals: { 'aws:CalledViaLast': 'bedrock.amazonaws.com' } },
  };
  expect(allowed).toEqual(SENDERS.map(() => [expected]));
  const policies = Object.values(template.findResources('AWS::IAM::Policy'));
  expect(policies.filter((policy) => JSON.stringify(policy).includes('aws-marketplace'))).toHaveLength(SENDERS.length);
});
