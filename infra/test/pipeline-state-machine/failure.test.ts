import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { allStates, definitionOf } from '../state-machine/definition';
import { evaluate } from '../state-machine/jsonata';

const states = allStates(definitionOf(exampleTemplate(), 'Pipelines'));

/** Evaluates the output of the Catch of a step. */
async function caught(step: string, states_: Record<string, unknown>): Promise<unknown> {
  const [catcher] = states[step]?.Catch ?? [];
  return evaluate(catcher?.Output, states_);
}

/** The failure of a nested execution, as Step Functions reports it. */
const FAILED_RUN = {
  Error: 'States.TaskFailed',
  Cause: JSON.stringify({
    Cause: 'two problems:\n  - …',
    Error: 'InvalidInput',
    ExecutionArn:
      'arn:aws:states:us-east-1:123456789012:execution:bedrock-batch-orchestrator-123456789012:p-0-0a1b2c3d',
    Input: '{"config_s3_uri":"s3://b/runs/p/stages/0.json"}',
    InputDetails: { Included: true },
    Name: 'p-0-0a1b2c3d',
    Status: 'FAILED',
  }),
};

test('a pipeline that fails is reported before it ends', () => {
  const caughtBy = Object.fromEntries(
    ['Validate', 'RunStages', 'NotifyFailure'].map((name) => [
      name,
      states[name]?.Catch?.map(({ ErrorEquals, Next }) => [ErrorEquals, Next]),
    ]),
  );
  expect(caughtBy).toEqual({
    Validate: [[['States.ALL'], 'NotifyFailure']],
    RunStages: [[['States.ALL'], 'NotifyFailure']],
    NotifyFailure: [[['States.ALL'], 'PipelineFailed']],
  });
  expect(states.RunStage?.Catch).toBeUndefined();
  expect(states.NotifyFailure?.Next).toBe('PipelineFailed');
});

test('a failed pipeline ends with the error and the cause that notify found', () => {
  expect(states.PipelineFailed).toMatchObject({
    Type: 'Fail',
    Error: '{% $states.input.error %}',
    Cause: '{% $states.input.cause %}',
  });
});

test.each([{ stages: [] }, 'text', ['a', 'list'], null])(
  'a failed Validate passes its failure on, whatever the input was: %j',
  async (input) => {
    const failure = { Error: 'InvalidInput', Cause: '{"errorMessage":"no"}' };
    expect(await caught('Validate', { input, errorOutput: failure })).toEqual({ failure });
  },
);

test('a failed stage passes its failure on in the same field', () => {
  expect(states.RunStages?.Catch).toEqual([
    { ErrorEquals: ['States.ALL'], ResultPath: '$.failure', Next: 'NotifyFailure' },
  ]);
});

describe('if NotifyFailure fails itself, the pipeline ends with the original failure', () => {
  test.each([
    [
      'of Validate, with its message',
      { Error: 'InvalidInput', Cause: '{"errorMessage":"two \\"problems\\""}' },
      'two "problems"',
    ],
    ['of a run, as Step Functions describes it', FAILED_RUN, FAILED_RUN.Cause],
    ['without a cause', { Error: 'States.Timeout' }, ''],
  ])('%s', async (_, failure, cause) => {
    const output = await caught('NotifyFailure', {
      input: { pipeline_run_id: 'p', failure },
      errorOutput: { Error: 'Transient', Cause: 'other' },
    });
    expect(output).toEqual({ error: failure.Error, cause });
  });
});

test('if NotifySuccess fails, the pipeline still succeeds', async () => {
  expect(states.NotifySuccess?.Catch).toMatchObject([{ ErrorEquals: ['States.ALL'], Next: 'SucceededWithoutEmail' }]);
  expect(states.SucceededWithoutEmail?.Type).toBe('Succeed');
  const input = { pipeline_run_id: 'p', stages: [] };
  expect(await caught('NotifySuccess', { input, errorOutput: { Error: 'Transient' } })).toEqual(input);
});
