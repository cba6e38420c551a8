import { expect, test } from 'vitest';
import { ERROR_NAMES, NEVER_RETRIED } from '../../lib/contract/error-names';
import { exampleTemplate } from '../example-stack';
import { allStates, definitionOf } from './definition';

/** Names of Step Functions and Lambda. */
const OF_AWS = /^(States|StepFunctions|Lambda|Sandbox|Runtime)\.\w+$/;

const template = exampleTemplate();
const machines = (['Batch', 'Pipelines'] as const).map((machine) => definitionOf(template, machine));
const states = machines.flatMap((machine) => Object.values(allStates(machine)));

test('Retry and Catch match only names of the contract or of AWS', () => {
  const matched = states.flatMap(({ Retry = [], Catch = [] }) =>
    [...Retry, ...Catch].flatMap(({ ErrorEquals }) => ErrorEquals),
  );
  const known: readonly string[] = Object.values(ERROR_NAMES);
  expect(matched.filter((name) => !known.includes(name) && !OF_AWS.test(name))).toEqual([]);
});

test('every error of the contract is either retried by a state or listed as never retried', () => {
  const retried = new Set(states.flatMap(({ Retry = [] }) => Retry.flatMap(({ ErrorEquals }) => ErrorEquals)));
  const never: readonly string[] = NEVER_RETRIED;
  for (const name of Object.values(ERROR_NAMES))
    expect([name, retried.has(name)]).toEqual([name, !never.includes(name)]);
});
