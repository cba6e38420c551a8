import { type Call, type Grant, grantsOf, isUsedBy, problemOf } from './judge';
import { type Deployment, rolesByCaller, type Statement, type Template } from './template';

/** A record of one session, as `tests/e2e/stack/recorded.py` writes it. */
export interface Session {
  readonly template: Template;
  readonly physicalIds: Record<string, string>;
  readonly region: string;
  readonly account: string;
  readonly calls: readonly Call[];
  readonly invalid: readonly string[];
  /** Rights that tests gave to roles, which they have in a stack with other settings. */
  readonly additions: Record<string, Statement[]>;
}

/** Ends the names of resources that tests make up so that a request fails. */
const GONE = '-gone';
/** Begins the callers that are state machines. Tests create some of their own, which the template does not have. */
const MACHINE = 'state machine ';
/** A `*` of IAM matches them, and one of the simulator does not. */
const LINE_BREAKS = /[\n\r\u0085\u2028\u2029]/gu;

/** Result of a review. */
export interface Review {
  readonly problems: string[];
  /** One line on what was judged. */
  readonly summary: string;
}

/** Judges the sessions together. `reasons`: grants that need not be used; undefined to leave grants out. */
export async function review(sessions: readonly Session[], reasons?: readonly RegExp[]): Promise<Review> {
  const problems = new Set<string>();
  const all = new Set<string>();
  const used = new Set<string>();
  let judged = 0;
  for (const session of sessions) {
    const at: Deployment = session;
    for (const problem of session.invalid) problems.add(`not valid by botocore's models: ${problem}`);
    const roles = rolesByCaller(at);
    const calls = session.calls
      .filter(({ caller, resource }) => !resource.endsWith(GONE) && (roles.has(caller) || !caller.startsWith(MACHINE)))
      .map((call) => ofToken({ ...call, resource: call.resource.replaceAll(LINE_BREAKS, ' ') }, at));
    for (const call of calls) {
      judged += 1;
      const additions = session.additions[roles.get(call.caller) ?? ''] ?? [];
      const problem = await problemOf(call, at, additions);
      if (problem !== undefined) problems.add(problem);
    }
    for (const grant of grantsOf(at)) {
      const name = nameOf(grant, at);
      all.add(name);
      if (used.has(name)) continue;
      for (const call of calls) {
        if (await isUsedBy(grant, call, at)) {
          used.add(name);
          break;
        }
      }
    }
  }
  if (reasons !== undefined) {
    for (const name of all)
      if (!used.has(name) && !reasons.some((reason) => reason.test(name)))
        problems.add(`no test uses this grant, and rights/unused.ts has no reason for it: ${name}`);
    for (const reason of reasons)
      if (![...all].some((name) => reason.test(name)))
        problems.add(`rights/unused.ts has a reason for grants that no role has: ${String(reason)}`);
  }
  const summary = `${judged} kinds of calls judged by iam-simulate; ${used.size} of ${all.size} grants are used`;
  return { problems: [...problems], summary };
}

/** The request that answers a token does not name its state machine: all tokens are those of children of the maps. */
function ofToken(call: Call, at: Deployment): Call {
  if (!call.action.startsWith('states:SendTask')) return call;
  const [, id] =
    Object.entries(at.physicalIds).find(([logical]) => /^BatchStateMachine[0-9A-F]{8}$/.test(logical)) ?? [];
  return { ...call, resource: `${id ?? ''}/Jobs` };
}

/** Returns a name of a grant that is the same in each deployment. */
function nameOf({ role, action, resource }: Grant, { physicalIds }: Deployment): string {
  const named = Object.entries(physicalIds)
    .map(([logical, physical]) => [physical.replace(/^.*[:/]/, ''), logical] as const)
    // A version of a function ends in its number, which occurs anywhere.
    .filter(([physical]) => !/^\d*$/.test(physical))
    .sort(([one], [other]) => other.length - one.length)
    .reduce((text, [physical, logical]) => text.replaceAll(physical, `<${withoutHash(logical)}>`), resource);
  return `${withoutHash(role)} ${action} ${named}`;
}

function withoutHash(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '');
}
