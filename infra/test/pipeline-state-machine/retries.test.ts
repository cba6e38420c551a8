import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { allStates, definitionOf, type Retrier } from '../state-machine/definition';

const template = exampleTemplate();
const states = allStates(definitionOf(template, 'Pipelines'));
const runs = allStates(definitionOf(template));

/** How a step is tried again after an error. */
function retrier(step: string, error: string): Retrier | undefined {
  return states[step]?.Retry?.find(({ ErrorEquals }) =>
    ErrorEquals.some((name) => name === error || name === 'States.ALL' || name === 'States.TaskFailed'),
  );
}

test.each(['Validate', 'NotifySuccess', 'NotifyFailure'])('%s is tried again as the functions of runs are', (step) => {
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
  ])('is tried again when the run could not be started: %s', (error) => {
    expect(retrier('RunStage', error)).toMatchObject({
      IntervalSeconds: 3,
      BackoffRate: 2,
      MaxDelaySeconds: 60,
      MaxAttempts: 10,
      JitterStrategy: 'FULL',
    });
  });

  test.each(['States.TaskFailed', 'States.Timeout', 'StepFunctions.ExecutionAlreadyExistsException', 'InvalidInput'])(
    'is not tried again when the run itself failed, or there is one of that name: %s',
    (error) => {
      expect(retrier('RunStage', error)).toBeUndefined();
    },
  );
});
