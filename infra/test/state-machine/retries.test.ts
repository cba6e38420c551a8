import { describe, expect, test } from 'vitest';
import { NEVER_RETRIED } from '../../lib/contract/error-names';
import { exampleTemplate } from '../example-stack';
import { allStates, definitionOf, mapsOf, type Retrier } from './definition';

const definition = definitionOf(exampleTemplate());
const states = allStates(definition);
const steps = Object.entries(states).filter(([, { Type }]) => Type === 'Task');

/** Returns the retrier of a step for an error: the first entry that matches. */
function retrier(step: string, error: string): Retrier | undefined {
  return states[step]?.Retry?.find(({ ErrorEquals }) =>
    ErrorEquals.some((name) => name === error || name === 'States.ALL' || name === 'States.TaskFailed'),
  );
}

/** Returns the retrier of a step for an error, which must exist. */
function requiredRetrier(step: string, error: string): Retrier {
  const found = retrier(step, error);
  if (found === undefined) throw new Error(`${step} does not retry ${error}`);
  return found;
}

describe.each(steps)('%s', (name, { Retry }) => {
  test.each(NEVER_RETRIED)('never retries %s', (error) => {
    expect(retrier(name, error)).toBeUndefined();
  });

  test('retries after throttling, with a long backoff', () => {
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
    'retries a function that crashed three times: %s',
    (error) => {
      expect(retrier(name, error)).toMatchObject({ IntervalSeconds: 5, BackoffRate: 2, MaxAttempts: 3 });
    },
  );

  test('has jitter in every wait, so that thousands of children do not retry at the same moment', () => {
    expect(Retry?.map(({ JitterStrategy }) => JitterStrategy)).toEqual(Retry?.map(() => 'FULL'));
  });
});

test('only submissions wait for quota', () => {
  expect(steps.filter(([name]) => retrier(name, 'QuotaExceeded') !== undefined).map(([name]) => name)).toEqual([
    'SubmitJob',
    'SubmitRetryJob',
  ]);
});

test.each(['SubmitJob', 'SubmitRetryJob'])('%s waits for quota for about a week', (name) => {
  const quota = requiredRetrier(name, 'QuotaExceeded');
  expect(quota).toMatchObject({ IntervalSeconds: 60, BackoffRate: 1.5, MaxDelaySeconds: 900 });
  const days = expectedWaitSeconds(quota) / 86_400;
  expect(days).toBeGreaterThan(6.5);
  expect(days).toBeLessThan(7.5);
});

test.each(['SubmitJob', 'SubmitRetryJob'])('the attempts of %s for quota fit into the history of a child', (name) => {
  const eventsPerAttempt = 5;
  expect(requiredRetrier(name, 'QuotaExceeded').MaxAttempts * eventsPerAttempt).toBeLessThan(25_000 / 2);
});

test.each(['SubmitJob', 'SubmitRetryJob'])('%s finds the job again after its timeout', (name) => {
  expect(retrier(name, 'States.Timeout')).toMatchObject({ MaxAttempts: 5 });
});

test.each([
  'Preprocess',
  'NextStep',
  'PostprocessJob',
  'PostprocessChunk',
  'AnswerRecords',
  'Finalize',
  'ExplainFailure',
])('%s is retried after its timeout', (name) => {
  expect(retrier(name, 'States.Timeout')).toMatchObject({ MaxAttempts: 3 });
});

test.each(['PostprocessChunk', 'AnswerRecords'])('%s has the retries of PostprocessJob', (name) => {
  expect(states[name]?.Retry).toEqual(states.PostprocessJob?.Retry);
});

test.each(Object.entries(mapsOf(definition)))('%s is never retried as a whole', (_, { Retry }) => {
  expect(Retry).toBeUndefined();
});

/** Returns the total wait of a retrier on average: full jitter takes half of each delay. */
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
