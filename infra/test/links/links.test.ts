import { Match } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';

const template = exampleTemplate();

test('Secrets Manager generates the key, the template does not contain it, and it is deleted with the stack', () => {
  template.hasResource('AWS::SecretsManager::Secret', {
    Properties: {
      Name: 'bedrock-batch-link-key',
      GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true },
      SecretString: Match.absent(),
    },
    DeletionPolicy: 'Delete',
  });
});

test('everyone may invoke the download function by its URL, and in no other way', () => {
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

/** Returns the functions that keep concurrency of the account for themselves, with how much. */
function reservations(context: Record<string, unknown>): [unknown, unknown][] {
  return Object.values(exampleTemplate(context).findResources('AWS::Lambda::Function'))
    .map((found) => (found as { Properties: Record<string, unknown> }).Properties)
    .filter((properties) => properties.ReservedConcurrentExecutions !== undefined)
    .map((properties) => [properties.FunctionName, properties.ReservedConcurrentExecutions]);
}

test('requests to the public URL cannot take the concurrency of other functions', () => {
  expect(reservations({})).toEqual([['bedrock-batch-download', 10]]);
  expect(reservations({ downloadReservedConcurrency: 3 })).toEqual([['bedrock-batch-download', 3]]);
});

test('an account with a small quota reserves nothing', () => {
  expect(reservations({ downloadReservedConcurrency: '' })).toEqual([]);
});

test('without download links there is no public URL, no key and no download function', () => {
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
