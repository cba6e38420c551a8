import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { allStates, definitionOf, type Retrier } from '../state-machine/definition';

const template = exampleTemplate();
const states = allStates(definitionOf(template, 'Pipelines'));
const runs = allStates(definitionOf(template));

/** Returns the retrier of a step for an error: the first entry that matches. */
function retrier(step: string, error: string): Retrier | undefined {
  return states[step]?.Retry?.find(({ ErrorEquals }) =>
    ErrorEquals.some((name) => name === error || name === 'States.ALL' || name === 'States.TaskFailed'),
  );
}

test.each(['Validate', 'NotifySuccess', 'NotifyFailure'])('%s has the retries of the functions of runs', (step) => {
  expect(states[step]?.Retry).toEqual(runs.Finalize?.Retry);
});

describe('RunStage', () => {
  test.each([
    'StepFunctions.AWSStepFunctionsException',
    'StepFunctions.ExecutionLimitExceeded',
    'StepFunctions.ExecutionLimitExceededException',
    'StepFunctions.SdkClientException',
    'StepFunctions.ServiceException',
    'StepFunctions.ThrottlingException',
  ])('is retried if the run could not be started: %s', (error) => {
    expect(retrier('RunStage', error)).toMatchObject({
      IntervalSeconds: 3,
      BackoffRate: 2,
      MaxDelaySeconds: 60,
      MaxAttempts: 10,
      JitterStrategy: 'FULL',
    });
  });

  test.each(['States.TaskFailed', 'States.Timeout', 'StepFunctions.ExecutionAlreadyExistsException', 'InvalidInput'])(
    'is not retried if the run itself failed, or its name is taken: %s',
    (error) => {
      expect(retrier('RunStage', error)).toBeUndefined();
    },
  );
});
