import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';

const template = exampleTemplate();

test('the key is made by Secrets Manager, seen by nobody, and goes with the stack', () => {
  template.hasResource('AWS::SecretsManager::Secret', {
    Properties: {
      Name: 'bedrock-batch-link-key',
      GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
      SecretString: Match.absent(),
    },
    DeletionPolicy: 'Delete',
  });
});

test('anybody may open a link, but only as a link: the function takes no other invocation', () => {
  template.hasResourceProperties('AWS::Lambda::Url', {
    AuthType: 'NONE',
    TargetFunctionArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^DownloadFunction'), 'Arn'] },
    Cors: Match.absent(),
  });
  const open = Object.values(template.findResources('AWS::Lambda::Permission', { Properties: { Principal: '*' } }));
  expect(open.map(({ Properties }) => Properties as unknown)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'NONE' }),
      expect.objectContaining({ Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true }),
    ]),
  );
  expect(open).toHaveLength(2);
});

test('no concurrency is taken from the other functions of the account', () => {
  template.allResourcesProperties('AWS::Lambda::Function', { ReservedConcurrentExecutions: Match.absent() });
});

test('without links there is no public URL, no key and no download function', () => {
  const other = exampleTemplate({ downloadLinks: 'false' });
  other.resourceCountIs('AWS::Lambda::Url', 0);
  other.resourceCountIs('AWS::SecretsManager::Secret', 0);
  expect(Object.keys(other.findResources('AWS::Lambda::Permission', { Properties: { Principal: '*' } }))).toEqual([]);
  const functions = other.findResources('AWS::Lambda::Function');
  expect(Object.keys(functions).filter((id) => id.startsWith('Download'))).toEqual([]);
  const variables = (name: string) =>
    Object.values(
      other.findResources('AWS::Lambda::Function', { Properties: { FunctionName: `bedrock-batch-${name}` } }),
    ).flatMap((found) =>
      Object.entries(
        (found as { Properties: { Environment: { Variables: Record<string, unknown> } } }).Properties.Environment
          .Variables,
      ),
    );
  expect(variables('notify').map(([name]) => name)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(DOWNLOAD_URL|LINK_KEY_SECRET_ARN)$/)]),
  );
  expect(variables('validate')).toContainEqual(['DOWNLOAD_LINKS', 'false']);
});
