import aslValidator from 'asl-validator';
import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { allStates, definitionOf, type Machine } from './definition';
import { FunctionError, type Outcome, run, type Stubs } from './second-engine';

const template = exampleTemplate();
const machine = definitionOf(template);

const STATE = {
  bucket: 'b',
  run_id: 'r',
  execution_arn: 'a',
  max_concurrency: 2,
  ...Object.fromEntries(['model_id', 'invocation_type', 'falls_back'].map((field) => [field, `the ${field}`])),
};
const STEP_OF: Record<string, string> = {
  ProcessJobs: 'process_jobs',
  RetryJobs: 'retry_jobs',
  AnswerOnDemand: 'answer_on_demand',
  JoinChunks: 'join_chunks',
};
const MANIFESTS = { jobs: ['job 0', 'job 1'], chunks: ['chunk 0'], none: [] };

type Fault = (state: string, attempt: number, payload: Record<string, unknown>) => void;

/** Plays a run whose preprocess decides the maps one after the other. `fault` may throw for a state. */
async function play(maps: readonly string[], fault?: Fault): Promise<Outcome & { payloads: [string, unknown][] }> {
  const remaining = [...maps];
  const payloads: [string, unknown][] = [];
  const next = (): unknown => {
    const map = remaining.shift();
    const manifest_key = map === 'JoinChunks' ? 'chunks' : 'jobs';
    return map === undefined ? { ...STATE, step: 'finish' } : { ...STATE, step: STEP_OF[map], manifest_key };
  };
  const task: Stubs['task'] = (state, payload, attempt) => {
    fault?.(state, attempt, payload);
    payloads.push([state, payload]);
    if (state === 'Preprocess' || state === 'NextStep') return next();
    if (state === 'AnswerRecords') return { done: payloads.filter(([name]) => name === state).length > 2 };
    if (state === 'ExplainFailure') return { error: 'JobFailed', cause: 'the reason in the job table' };
    if (state === 'Finalize') return { rows: 2 };
    return {};
  };
  const outcome = await run(machine, { s3_uri: 's3://b/rows.csv' }, { task, manifests: MANIFESTS });
  return { ...outcome, payloads };
}

/** Throws an error in one state, the first `times` times. */
function failing(name: string, error: string, times = Infinity): Fault & { calls: number } {
  const fault = Object.assign(
    (state: string) => {
      if (state !== name) return;
      fault.calls += 1;
      if (fault.calls <= times) throw new FunctionError(error, 'it failed');
    },
    { calls: 0 },
  );
  return fault;
}

test.each(['Batch', 'Pipelines'] as const)('asl-validator finds nothing in the state machine %s', (name) => {
  const { isValid, errorsText } = aslValidator(resolved(definitionOf(template, name)), {
    checkPaths: true,
    checkArn: true,
  });
  expect(errorsText('\n')).toBe('');
  expect(isValid).toBe(true);
});

test('asl-validator finds a transition to a state that does not exist', () => {
  const broken = resolved(machine) as { States: Record<string, { Next: string }> };
  Object.assign(broken.States.Preprocess ?? {}, { Next: 'Nowhere' });
  expect(aslValidator(broken as never).isValid).toBe(false);
});

describe('on a second engine, a run', () => {
  test('processes jobs, then finishes with the totals', async () => {
    const { output, path, payloads } = await play(['ProcessJobs']);
    expect(output).toEqual({ rows: 2 });
    expect(path.filter((name) => !name.endsWith('Job'))).toEqual([
      'Preprocess',
      'Route',
      'ProcessJobs',
      'NextStep',
      'Route',
      'Finalize',
    ]);
    const jobs = payloads.filter(([name]) => name === 'PostprocessJob').map(([, payload]) => payload);
    expect(jobs).toEqual(['job 0', 'job 1'].map((job) => ({ run_id: 'r', execution_arn: 'a', job })));
  });

  test('goes through retries, on demand and joins in the order that preprocess decides', async () => {
    const maps = ['ProcessJobs', 'RetryJobs', 'AnswerOnDemand', 'JoinChunks'];
    const { output, path } = await play(maps);
    expect(output).toEqual({ rows: 2 });
    expect(path.filter((name) => maps.includes(name))).toEqual(maps);
    expect(path.filter((name) => name === 'NextStep')).toHaveLength(maps.length);
    for (const child of ['SubmitRetryJob', 'PostprocessChunk', 'AnswerRecords']) expect(path).toContain(child);
  });

  test('lets an invocation that ran out of time go on until all records are answered', async () => {
    const { path, payloads } = await play(['AnswerOnDemand']);
    expect(path.filter((name) => name === 'AllAnswered')).toHaveLength(2);
    expect(payloads.filter(([name]) => name === 'AnswerRecords').length).toBeGreaterThan(2);
  });

  test('gives the next step the state of the run and no item of its maps', async () => {
    const { payloads } = await play(['ProcessJobs']);
    const [, state] = payloads.find(([name]) => name === 'NextStep') ?? [];
    expect(state).toEqual({
      action: 'next_step',
      state: { ...STATE, step: 'process_jobs', manifest_key: 'jobs' },
    });
  });

  test('that preprocess refuses fails with the message of the function', async () => {
    const { error, cause, path } = await play([], failing('Preprocess', 'InvalidInput'));
    expect({ error, cause }).toEqual({ error: 'InvalidInput', cause: 'it failed' });
    expect(path).toEqual(['Preprocess', 'FailRun']);
  });

  test.each([
    ['ProcessJobs', 'SubmitJob'],
    ['ProcessJobs', 'PostprocessJob'],
    ['RetryJobs', 'SubmitRetryJob'],
    ['AnswerOnDemand', 'AnswerRecords'],
    ['JoinChunks', 'PostprocessChunk'],
    ['ProcessJobs', 'NextStep'],
    ['ProcessJobs', 'Finalize'],
  ])('with %s that fails in %s fails with the reason in the job table', async (map, state) => {
    const { error, cause, path } = await play([map], failing(state, 'JobFailed'));
    expect({ error, cause }).toEqual({ error: 'JobFailed', cause: 'the reason in the job table' });
    expect(path.slice(-2)).toEqual(['ExplainFailure', 'FailRun']);
  });

  test('fails with the original failure if the reason cannot be found', async () => {
    const { error, cause } = await play(['ProcessJobs'], (state) => {
      if (state === 'NextStep') throw new FunctionError('Corrupt', 'no manifest');
      if (state === 'ExplainFailure') throw new FunctionError('AccessDenied');
    });
    expect(error).toBe('Corrupt');
    expect(cause).toContain('no manifest');
  });

  test('fails at a manifest that cannot be read', async () => {
    const task: Stubs['task'] = (state) =>
      state === 'Preprocess' ? { ...STATE, step: 'process_jobs', manifest_key: 'gone' } : { error: 'E', cause: 'c' };
    expect(await run(machine, {}, { task })).toMatchObject({ error: 'E', cause: 'c' });
  });

  test('ends at a step that the state machine does not have', async () => {
    const outcome = await run(machine, {}, { task: () => ({ ...STATE, step: 'dance' }) });
    expect(outcome.error).toBe('UnknownStep');
    expect(outcome.cause).toContain('returned the step `dance`');
  });
});

describe('on a second engine, retries', () => {
  const MAPS: Record<string, string> = {
    SubmitRetryJob: 'RetryJobs',
    AnswerRecords: 'AnswerOnDemand',
    PostprocessChunk: 'JoinChunks',
  };
  const cases = Object.entries(allStates(machine))
    .filter(([name]) => name !== 'ExplainFailure')
    .flatMap(([name, { Retry }]) =>
      (Retry ?? []).flatMap(({ ErrorEquals }) => ErrorEquals.map((error) => [name, error] as const)),
    );

  test('exist in every state that invokes a function', () => {
    const invoking = Object.entries(allStates(machine)).filter(([, { Type }]) => Type === 'Task');
    for (const [name, { Retry }] of invoking) expect(Retry, name).not.toHaveLength(0);
    expect(cases.length).toBeGreaterThan(50);
  });

  test.each(cases)('let %s succeed after two times %s', async (state, error) => {
    const fault = failing(state, error, 2);
    const { output } = await play([MAPS[state] ?? 'ProcessJobs'], fault);
    expect(output).toEqual({ rows: 2 });
    expect(fault.calls).toBeGreaterThanOrEqual(3);
  });

  test('end after the fourth crash of a function', async () => {
    const fault = failing('Finalize', 'Runtime.ExitError');
    const { error } = await play(['ProcessJobs'], fault);
    expect(error).toBe('JobFailed');
    expect(fault.calls).toBe(4);
  });

  test.each(['InvalidInput', 'JobFailed', 'AccessDenied', 'Corrupt', 'Superseded', 'Internal'])(
    'are not made after %s',
    async (error) => {
      const fault = failing('SubmitJob', error);
      await play(['ProcessJobs'], fault);
      // Once per job at most: the first failure ends the map.
      expect(fault.calls).toBeLessThanOrEqual(2);
    },
  );

  test('tell a submission the number of its attempt', async () => {
    const { payloads } = await play(['RetryJobs'], (state, attempt) => {
      if (state === 'SubmitRetryJob' && attempt < 2) throw new FunctionError('Throttled');
    });
    const counts = payloads.filter(([name]) => name === 'SubmitRetryJob').map(([, payload]) => payload);
    expect(counts).toContainEqual(expect.objectContaining({ retry_count: 2 }));
  });
});

/** Replaces the references of a definition by ARNs. */
function resolved(definition: Machine): never {
  return JSON.parse(
    JSON.stringify(definition)
      .replaceAll(/<AWS::[A-Za-z]+>/g, 'aws')
      .replaceAll(/<([A-Za-z]+)>/g, 'arn:aws:lambda:us-east-1:000000000000:function:$1'),
  ) as never;
}
