import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { OrchestratorStack } from '../lib/orchestrator-stack';
import { readSettings } from '../lib/settings/read';
import deployed from './deployed-resources.json';
import { dummyFunctions } from './dummy-functions';
import { exampleStack, exampleTemplate } from './example-stack';

/** Properties that are the name of a resource in its account. */
const NAME_PROPERTIES = [
  'AlarmName',
  'BucketName',
  'DashboardName',
  'FunctionName',
  'LogGroupName',
  'Name',
  'StateMachineName',
  'TopicName',
] as const;
/** Their names are unique within the function, the topic or the queue that they belong to. */
const PARTS_OF_OTHERS = [
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Permission',
  'AWS::Lambda::Version',
  'AWS::Logs::MetricFilter',
];

interface Resource {
  readonly type: string;
  readonly name?: string;
}

/** Returns the type and the name of each resource, in the region `region` of the account 123456789012. */
function resourcesOf(template: Template, region = '<AWS::Region>'): Record<string, Resource> {
  const { Resources } = template.toJSON() as {
    Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>;
  };
  return Object.fromEntries(
    Object.entries(Resources).map(([id, { Type, Properties = {} }]) => {
      const key = PARTS_OF_OTHERS.includes(Type) ? undefined : NAME_PROPERTIES.find((name) => name in Properties);
      const name = key === undefined ? undefined : asText(Properties[key]);
      return [id, { type: Type, ...(name !== undefined && { name: name.replaceAll('<AWS::Region>', region) }) }];
    }),
  );
}

function asText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const { Ref, 'Fn::Join': join } = value as { Ref?: string; 'Fn::Join'?: [string, unknown[]] };
  return join?.[1].map(asText).join('') ?? (Ref === undefined ? undefined : `<${Ref}>`);
}

/** Returns the names of a deployment, each with the type of its resource: two resources may not have both in common. */
function namesOf(context: Record<string, unknown>, region?: string): string[] {
  return Object.values(resourcesOf(exampleTemplate(context), region)).flatMap(({ type, name }) =>
    name === undefined ? [] : [`${type} ${name}`],
  );
}

// If this fails, an update would replace a resource of every deployment. The list may only grow.
test('without a stage, every resource of a deployment keeps its logical id, its type and its name', () => {
  expect(resourcesOf(exampleTemplate())).toMatchObject(deployed);
});

test('two stages of one account and region have no name in common, and none with the deployment without a stage', () => {
  const names = [{}, { stage: 'dev' }, { stage: 'prod' }].flatMap((context) => namesOf(context, 'eu-west-1'));
  expect(names.length).toBeGreaterThan(60);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test('every name of a stage has the stage and the region in it', () => {
  const names = namesOf({ stage: 'dev' });
  expect(names.filter((name) => !(name.includes('-dev-') && name.includes('<AWS::Region>')))).toEqual([]);
});

test('a stage is a stack of its own', () => {
  expect(exampleStack().stack.stackName).toBe('BedrockBatchOrchestratorStack');
  expect(exampleStack({ stage: 'dev' }).stack.stackName).toBe('BedrockBatchOrchestratorStack-dev');
});

test('a stage has no reference to the deployment without a stage', () => {
  const text = JSON.stringify(exampleTemplate({ stage: 'dev' }).toJSON());
  // Each name of the deployment without a stage ends in a quotation mark, or in the account.
  expect(text).not.toMatch(/bedrock-batch-(link-key|notifications|preprocess|submit)"/);
  expect(text).not.toMatch(/bedrock-(batch|pipeline)-orchestrator-",\{"Ref":"AWS::AccountId/);
  expect(text).not.toContain('batch-inference-bucket');
});

test('the longest names fit, in the region with the longest name', () => {
  const app = new App({ context: { lambdaDirectory: dummyFunctions(), stage: 'x'.repeat(12) } });
  const stack = new OrchestratorStack(app, {
    settings: readSettings(app.node),
    env: { account: '123456789012', region: 'ap-southeast-1' },
  });
  const resources = Object.values(resourcesOf(Template.fromStack(stack)));
  const longest = (type: string): number =>
    Math.max(...resources.filter((resource) => resource.type === type).map(({ name = '' }) => name.length));
  expect(longest('AWS::S3::Bucket')).toBeLessThanOrEqual(63);
  expect(longest('AWS::Lambda::Function')).toBeLessThanOrEqual(64);
  expect(longest('AWS::StepFunctions::StateMachine')).toBeLessThanOrEqual(80);
});
