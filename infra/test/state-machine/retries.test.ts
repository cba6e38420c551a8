import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { allStates, definitionOf, mapsOf, type Retrier } from './definition';

const definition = definitionOf(exampleTemplate());
const states = allStates(definition);
const steps = Object.entries(states).filter(([, { Type }]) => Type === 'Task');

/** How a step is tried again after an error; the first entry that matches decides. */
function retrier(step: string, error: string): Retrier | undefined {
  return states[step]?.Retry?.find(({ ErrorEquals }) =>
    ErrorEquals.some((name) => name === error || name === 'States.ALL' || name === 'States.TaskFailed'),
  );
}

/** The same, where there must be one. */
function existing(step: string, error: string): Retrier {
  const found = retrier(step, error);
  if (found === undefined) throw new Error(`${step} does not retry ${error}`);
  return found;
}

describe.each(steps)('%s', (name, { Retry }) => {
  test.each(['InvalidInput', 'JobFailed'])('never retries %s', (error) => {
    expect(retrier(name, error)).toBeUndefined();
  });

  test('waits for throttling to pass', () => {
    expect(retrier(name, 'Throttled')).toMatchObject({
      IntervalSeconds: 3,
      BackoffRate: 2,
      MaxDelaySeconds: 120,
      MaxAttempts: 20,
    });
  });

  test.each(['Transient', 'Lambda.ServiceException', 'Lambda.AWSLambdaException', 'Lambda.SdkClientException'])(
    'retries %s',
    (error) => {
      expect(retrier(name, error)).toMatchObject({
        IntervalSeconds: 2,
        BackoffRate: 2,
        MaxDelaySeconds: 60,
        MaxAttempts: 6,
      });
    },
  );

  test.each(['Sandbox.Timedout', 'Runtime.ExitError', 'Lambda.Unknown'])(
    'repeats a function that died three times: %s',
    (error) => {
      expect(retrier(name, error)).toMatchObject({ IntervalSeconds: 5, BackoffRate: 2, MaxAttempts: 3 });
    },
  );

  test('jitters every wait, so that thousands of children do not come back together', () => {
    expect(Retry?.map(({ JitterStrategy }) => JitterStrategy)).toEqual(Retry?.map(() => 'FULL'));
  });
});

test('submissions alone wait for quota', () => {
  expect(steps.filter(([name]) => retrier(name, 'QuotaExceeded') !== undefined).map(([name]) => name)).toEqual([
    'SubmitJob',
    'SubmitRetryJob',
  ]);
});

test.each(['SubmitJob', 'SubmitRetryJob'])('%s waits for quota about a week', (name) => {
  const quota = existing(name, 'QuotaExceeded');
  expect(quota).toMatchObject({ IntervalSeconds: 60, BackoffRate: 1.5, MaxDelaySeconds: 900 });
  const days = expectedWaitSeconds(quota) / 86_400;
  expect(days).toBeGreaterThan(6.5);
  expect(days).toBeLessThan(7.5);
});

test.each(['SubmitJob', 'SubmitRetryJob'])('a wait of %s for quota fits into the history of a child', (name) => {
  const eventsPerAttempt = 5;
  expect(existing(name, 'QuotaExceeded').MaxAttempts * eventsPerAttempt).toBeLessThan(25_000 / 2);
});

test.each(['SubmitJob', 'SubmitRetryJob'])('%s is not repeated because nothing was heard of its job', (name) => {
  expect(retrier(name, 'States.Timeout')).toBeUndefined();
});

test.each([
  'Preprocess',
  'NextStep',
  'PostprocessJob',
  'PostprocessChunk',
  'AnswerRecords',
  'Finalize',
  'ExplainFailure',
])('%s is repeated when its time is up', (name) => {
  expect(retrier(name, 'States.Timeout')).toMatchObject({ MaxAttempts: 3 });
});

test.each(['PostprocessChunk', 'AnswerRecords'])('%s is tried again just as PostprocessJob is', (name) => {
  expect(states[name]?.Retry).toEqual(states.PostprocessJob?.Retry);
});

test.each(Object.entries(mapsOf(definition)))('%s is not run again as a whole', (_, { Retry }) => {
  expect(Retry).toBeUndefined();
});

/** The wait that a retrier adds up to on average: full jitter takes half of each delay. */
function expectedWaitSeconds({
  IntervalSeconds,
  BackoffRate,
  MaxAttempts,
  MaxDelaySeconds = Infinity,
}: Retrier): number {
  let total = 0;
  for (let attempt = 0; attempt < MaxAttempts; attempt++) {
    total += Math.min(IntervalSeconds * BackoffRate ** attempt, MaxDelaySeconds) / 2;
  }
  return total;
}
