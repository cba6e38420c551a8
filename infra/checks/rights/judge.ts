import { runSimulation, runUnsafeSimulation, type Simulation } from '@cloud-copilot/iam-simulate';
import { bucketPolicy, type Deployment, rolesByCaller, type Statement, statementsOf } from './template';

/** A call of a function or a state machine, as the local stack records it. */
export interface Call {
  readonly caller: string;
  readonly action: string;
  readonly resource: string;
  readonly context: Readonly<Record<string, string | string[]>>;
}

/** One action on one resource that a statement allows: the smallest thing that can be taken from a policy. */
export interface Grant {
  readonly role: string;
  readonly sid: string;
  readonly action: string;
  readonly resource: string;
  readonly statement: Statement;
}

/**
 * Actions on resources that IAM judges although its service authorization reference has no such type of resource. The
 * simulator knows the reference alone, and is told not to look there.
 *
 * - SendTask…: the reference has no resource. AWS compares the state machine of the token with the policy, which CDK’s
 *   `grantTaskResponse` relies on (tested there on an account: aws-cdk pull request 8486).
 * - Batch jobs of an inference profile: in AWS’s own policy for batch inference, and not in the reference.
 */
const NOT_IN_THE_REFERENCE = [
  /^states:SendTask(Success|Failure|Heartbeat) /,
  /^bedrock:CreateModelInvocationJob arn:[^ ]*:(application-)?inference-profile\//,
];

/** Returns the problem of a call, or undefined if the policies of its caller allow it. */
export async function problemOf(call: Call, at: Deployment, additions: Statement[]): Promise<string | undefined> {
  const role = rolesByCaller(at).get(call.caller);
  if (role === undefined) return `${call.caller} is not in the template`;
  const granted = [...statementsOf(role, at), ...additions];
  const problem = await simulate(call, granted, at);
  return problem && `${call.caller}: ${call.action} on ${call.resource}: ${problem}`;
}

/** Returns the grants of all roles of functions and state machines. */
export function grantsOf(at: Deployment): Grant[] {
  return [...new Set(rolesByCaller(at).values())].flatMap((role) =>
    statementsOf(role, at)
      .filter(({ Effect }) => Effect === 'Allow')
      .flatMap((statement) =>
        statement.Action.flatMap((action) =>
          statement.Resource.map((resource) => ({ role, sid: statement.Sid ?? '', action, resource, statement })),
        ),
      ),
  );
}

/** Returns true if the grant alone allows the call. */
export async function isUsedBy(grant: Grant, call: Call, at: Deployment): Promise<boolean> {
  if (rolesByCaller(at).get(call.caller) !== grant.role || !mayCover(grant.action, call.action)) return false;
  const alone: Statement = { ...grant.statement, Action: [grant.action], Resource: [grant.resource] };
  return (await simulate(call, [alone], at)) === undefined;
}

/** Spares the simulation of what cannot match. */
function mayCover(granted: string, action: string): boolean {
  return granted.includes('*') || granted.toLowerCase() === action.toLowerCase();
}

async function simulate(call: Call, granted: Statement[], at: Deployment): Promise<string | undefined> {
  const bucket = /^arn:aws:s3:::([^/]+)/.exec(call.resource)?.[1];
  const resourcePolicy = bucket === undefined ? [] : bucketPolicy(bucket, at);
  const simulation: Simulation = {
    request: {
      principal: `arn:aws:iam::${at.account}:role/${call.caller.replaceAll(' ', '-')}`,
      action: call.action,
      resource: { resource: call.resource, accountId: at.account },
      // SDKs use TLS on AWS; the local stack has none.
      contextVariables: { ...call.context, 'aws:SecureTransport': 'true' },
    },
    identityPolicies: [{ name: 'role', policy: { Version: '2012-10-17', Statement: granted } }],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(resourcePolicy.length > 0 && { resourcePolicy: { Version: '2012-10-17', Statement: resourcePolicy } }),
  };
  if (NOT_IN_THE_REFERENCE.some((known) => known.test(`${call.action} ${call.resource}`))) {
    const verdict = runUnsafeSimulation(simulation, {});
    return verdict === 'Allowed' ? undefined : verdict;
  }
  const result = await runSimulation(simulation, {});
  if (result.resultType === 'error') return `cannot be simulated: ${JSON.stringify(result.errors)}`;
  return result.overallResult === 'Allowed' ? undefined : result.overallResult;
}
