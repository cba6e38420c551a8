/*
 * The policies of a synthesized template, with references replaced by the resources of a deployed stack. Own code: the local
 * stack's deployment may resolve a reference wrongly, and a check that used it would not see that.
 */

/** A CloudFormation template, as far as the check reads it. */
export interface Template {
  readonly Resources: Record<string, { readonly Type: string; readonly Properties?: Record<string, unknown> }>;
}

/** Where a template is deployed. */
export interface Deployment {
  readonly template: Template;
  /** Physical ids of the resources, by logical id. */
  readonly physicalIds: Record<string, string>;
  readonly region: string;
  readonly account: string;
}

/** A statement of a policy, in full: lists where IAM also takes single values. */
export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: string[];
  readonly Resource: string[];
  readonly Condition?: Record<string, Record<string, unknown>>;
  readonly Principal?: unknown;
}

/** ARNs by type of resource, made from a physical id. Types that are not here have their ARN as physical id. */
const ARNS: Record<string, (id: string, at: Deployment) => string> = {
  'AWS::S3::Bucket': (id) => `arn:aws:s3:::${id}`,
  'AWS::IAM::Role': (id, { account }) => `arn:aws:iam::${account}:role/${id}`,
  'AWS::DynamoDB::Table': (id, { region, account }) => `arn:aws:dynamodb:${region}:${account}:table/${id}`,
  'AWS::Lambda::Function': (id, { region, account }) => `arn:aws:lambda:${region}:${account}:function:${id}`,
  'AWS::KMS::Key': (id, { region, account }) => `arn:aws:kms:${region}:${account}:key/${id}`,
  'AWS::Logs::LogGroup': (id, { region, account }) => `arn:aws:logs:${region}:${account}:log-group:${id}:*`,
  'AWS::SQS::Queue': (id, { region, account }) =>
    `arn:aws:sqs:${region}:${account}:${id.slice(id.lastIndexOf('/') + 1)}`,
};

/** Returns a value of the template as CloudFormation resolves it. */
export function resolve(value: unknown, at: Deployment): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, at));
  if (typeof value !== 'object' || value === null) return value;
  const [[name, argument] = ['', undefined], ...others] = Object.entries(value);
  if (others.length === 0) {
    if (name === 'Ref') return reference(argument as string, at);
    if (name === 'Fn::GetAtt') return attribute(argument as [string, string], at);
    if (name === 'Fn::Join') {
      const [separator, parts] = argument as [string, unknown];
      return (resolve(parts, at) as string[]).join(separator);
    }
    if (name === 'Fn::Split') {
      const [separator, text] = argument as [string, unknown];
      return (resolve(text, at) as string).split(separator);
    }
    if (name === 'Fn::Select') {
      const [place, parts] = argument as [number, unknown];
      return (resolve(parts, at) as unknown[])[place];
    }
    if (name === 'Fn::Sub' && typeof argument === 'string')
      return argument.replaceAll(/\$\{([^}]+)\}/g, (_, id: string) => reference(id, at));
    if (name.startsWith('Fn::')) throw new Error(`${name} is not known to checks/rights/template.ts: add it`);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item, at)]));
}

function reference(id: string, at: Deployment): string {
  const pseudo: Record<string, string> = {
    'AWS::Partition': 'aws',
    'AWS::Region': at.region,
    'AWS::AccountId': at.account,
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': 'BedrockBatchOrchestratorStack',
  };
  const found = pseudo[id] ?? at.physicalIds[id];
  if (found === undefined) throw new Error(`${id} is not deployed`);
  // The ARN of a secret is its physical id on AWS; the local stack has its name there.
  if (at.template.Resources[id]?.Type === 'AWS::SecretsManager::Secret' && !found.startsWith('arn:'))
    return `arn:aws:secretsmanager:${at.region}:${at.account}:secret:${found}-??????`;
  return found;
}

function attribute([id, name]: [string, string], at: Deployment): string {
  const type = at.template.Resources[id]?.Type ?? '';
  if (name === 'Arn') return ARNS[type]?.(reference(id, at), at) ?? reference(id, at);
  return `${id}.${name}`;
}

/** Returns the statements of the role with this logical id. */
export function statementsOf(role: string, at: Deployment): Statement[] {
  return Object.values(at.template.Resources)
    .filter(({ Type, Properties }) => Type === 'AWS::IAM::Policy' && names(Properties?.Roles, role))
    .flatMap(({ Properties }) => statements(Properties?.PolicyDocument, at));
}

/** Returns the statements of the policy of a bucket. */
export function bucketPolicy(bucket: string, at: Deployment): Statement[] {
  return Object.values(at.template.Resources)
    .filter(({ Type, Properties }) => Type === 'AWS::S3::BucketPolicy' && resolve(Properties?.Bucket, at) === bucket)
    .flatMap(({ Properties }) => statements(Properties?.PolicyDocument, at));
}

/** Returns the logical id of the role of each function and state machine, by what the record calls it. */
export function rolesByCaller(at: Deployment): Map<string, string> {
  const roles = new Map<string, string>();
  for (const [id, { Type, Properties }] of Object.entries(at.template.Resources)) {
    const role = Properties?.[Type === 'AWS::Lambda::Function' ? 'Role' : 'RoleArn'] as GetAtt | undefined;
    if (role?.['Fn::GetAtt'] === undefined) continue;
    const name = at.physicalIds[id] ?? '';
    if (Type === 'AWS::Lambda::Function') roles.set(name, role['Fn::GetAtt'][0]);
    if (Type === 'AWS::StepFunctions::StateMachine') roles.set(`state machine ${name}`, role['Fn::GetAtt'][0]);
  }
  return roles;
}

interface GetAtt {
  readonly 'Fn::GetAtt'?: [string, string];
}

function names(roles: unknown, role: string): boolean {
  return Array.isArray(roles) && roles.some((item) => (item as { Ref?: string }).Ref === role);
}

function statements(document: unknown, at: Deployment): Statement[] {
  const found = resolve((document as { Statement: unknown[] }).Statement, at) as Record<string, unknown>[];
  return found.map((statement) => ({
    ...(statement as unknown as Statement),
    Action: list(statement.Action as string | string[]),
    Resource: list(statement.Resource as string | string[]),
  }));
}

function list<Item>(value: Item | Item[]): Item[] {
  return Array.isArray(value) ? value : [value];
}
