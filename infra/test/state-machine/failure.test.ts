import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { allStates, definitionOf, mapsOf } from './definition';
import { evaluate } from './jsonata';

const definition = definitionOf(exampleTemplate());
const states = allStates(definition);

/** Evaluates the output of the Catch of a step. */
async function caught(step: string, states_: Record<string, unknown>): Promise<unknown> {
  const [catcher] = states[step]?.Catch ?? [];
  return evaluate(catcher?.Output, states_);
}

test('every failure of a step ends in FailRun', () => {
  const caughtBy = Object.fromEntries(
    Object.entries(states).map(([name, { Catch }]) => [
      name,
      Catch?.map(({ ErrorEquals, Next }) => [ErrorEquals, Next]),
    ]),
  );
  expect(caughtBy).toMatchObject({
    Preprocess: [[['States.ALL'], 'FailRun']],
    ProcessJobs: [[['States.ALL'], 'ExplainFailure']],
    RetryJobs: [[['States.ALL'], 'ExplainFailure']],
    AnswerOnDemand: [[['States.ALL'], 'ExplainFailure']],
    JoinChunks: [[['States.ALL'], 'ExplainFailure']],
    NextStep: [[['States.ALL'], 'ExplainFailure']],
    Finalize: [[['States.ALL'], 'ExplainFailure']],
    ExplainFailure: [[['States.ALL'], 'FailRun']],
  });
  expect(states.ExplainFailure?.Next).toBe('FailRun');
  expect(states.FailRun).toMatchObject({
    Type: 'Fail',
    Error: '{% $states.input.error %}',
    Cause: '{% $states.input.cause %}',
  });
});

describe('a failed Preprocess ends the run with the message of the function', () => {
  const message = 'two problems:\n  - `s3_uri` is "s3://b/ä.csv" \\ but …\n\t- and another';

  test.each([
    ['as Lambda writes it', JSON.stringify({ errorType: 'InvalidInput', errorMessage: message }), message],
    [
      'with spaces and a trace',
      JSON.stringify({ errorMessage: message, errorType: 'InvalidInput', trace: ['a'] }, null, 2),
      message,
    ],
    ['with an empty message', '{"errorType":"InvalidInput","errorMessage":""}', ''],
    [
      'cut off in the message',
      '{"errorType":"InvalidInput","errorMessage":"cut \\"o',
      '{"errorType":"InvalidInput","errorMessage":"cut \\"o',
    ],
    ['that is not JSON', 'Task timed out after 900 seconds', 'Task timed out after 900 seconds'],
    ['that looks like JSON', '{not json}', '{not json}'],
    ['that is JSON of another form', '{"message":"x"}', '{"message":"x"}'],
    ['that is empty', '', ''],
  ])('from a cause %s', async (_, cause, expected) => {
    const output = await caught('Preprocess', { errorOutput: { Error: 'InvalidInput', Cause: cause } });
    expect(output).toEqual({ error: 'InvalidInput', cause: expected });
  });

  test('from no cause', async () => {
    expect(await caught('Preprocess', { errorOutput: { Error: 'States.Timeout' } })).toEqual({
      error: 'States.Timeout',
      cause: '',
    });
  });

  test('from a long cause, without backtracking', async () => {
    const long = '"line" \\ of text\n'.repeat(2_000);
    const output = await caught('Preprocess', {
      errorOutput: { Error: 'InvalidInput', Cause: JSON.stringify({ errorMessage: long }) },
    });
    expect(output).toEqual({ error: 'InvalidInput', cause: long });
  });
});

test.each(['Finalize', 'NextStep'])(
  'a failed %s passes its input on with the failure, as the maps do',
  async (name) => {
    const failure = { Error: 'Transient', Cause: 'x' };
    expect(await caught(name, { input: { run_id: 'r' }, errorOutput: failure })).toEqual({ run_id: 'r', failure });
  },
);

test.each(Object.entries(mapsOf(definition)))('%s passes its input on with the failure', (_, map) => {
  expect(map.Catch).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'ExplainFailure' }]);
});

describe('if ExplainFailure fails itself, the run ends with the original failure', () => {
  test.each([
    [
      { Error: 'States.ExceedToleratedFailureThreshold', Cause: 'The threshold was exceeded' },
      'The threshold was exceeded',
    ],
    [{ Error: 'States.Timeout' }, ''],
  ])('%j', async (failure, cause) => {
    const output = await caught('ExplainFailure', {
      input: { run_id: 'r', failure },
      errorOutput: { Error: 'Transient', Cause: 'other' },
    });
    expect(output).toEqual({ error: failure.Error, cause });
  });
});
