import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';

const template = exampleTemplate({ notificationEmails: ['one@example.com', 'two@example.com'] });

test('the topic of the emails is encrypted and has a predictable name', () => {
  template.hasResourceProperties('AWS::SNS::Topic', {
    TopicName: 'bedrock-batch-notifications',
    KmsMasterKeyId: { 'Fn::Join': ['', Match.arrayWith([':alias/aws/sns'])] },
  });
});

test('the topic refuses requests without TLS, and grants no access by its policy', () => {
  template.hasResourceProperties('AWS::SNS::TopicPolicy', {
    PolicyDocument: {
      Statement: [
        Match.objectLike({
          Effect: 'Deny',
          Principal: '*',
          Action: 'sns:Publish',
          Condition: { Bool: { 'aws:SecureTransport': 'false' } },
        }),
      ],
    },
  });
});

test('every address of the context is subscribed', () => {
  const topic = Match.objectLike({ TopicArn: { Ref: Match.stringLikeRegexp('^NotificationsTopic') } });
  const subscriptions = Object.values(template.findResources('AWS::SNS::Subscription', { Properties: topic }));
  expect(subscriptions.map(({ Properties }) => Properties as unknown)).toEqual(
    ['one@example.com', 'two@example.com'].map((Endpoint) => ({
      Protocol: 'email',
      Endpoint,
      TopicArn: { Ref: expect.stringMatching(/^NotificationsTopic/) as string },
    })),
  );
  exampleTemplate().resourceCountIs('AWS::SNS::Subscription', 0);
});
