import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERROR_NAMES } from '../../lib/contract/error-names';
import { exampleTemplate } from '../example-stack';
import { allStates, definitionOf } from './definition';

const SOURCE = join(__dirname, '../../../crates/domain/src/error_name.rs');

/** Names that Step Functions and Lambda give themselves. */
const OF_AWS = /^(States|StepFunctions|Lambda|Sandbox|Runtime)\.\w+$/;

/** The names in Rust, which is where they are defined. */
function namesInRust(): string[] {
  return [...readFileSync(SOURCE, 'utf8').matchAll(/^ {4}(\w+) => \w+,$/gm)].map(([, name]) => name ?? '');
}

test('the error names here are those of the functions', () => {
  expect(Object.values(ERROR_NAMES).sort()).toEqual(namesInRust().sort());
});

test('Retry and Catch match only names that the functions or AWS give', () => {
  const template = exampleTemplate();
  const machines = (['Batch', 'Pipelines'] as const).map((machine) => definitionOf(template, machine));
  const states = machines.flatMap((machine) => Object.values(allStates(machine)));
  const matched = states.flatMap(({ Retry = [], Catch = [] }) =>
    [...Retry, ...Catch].flatMap(({ ErrorEquals }) => ErrorEquals),
  );
  const known = namesInRust();
  expect(known).toHaveLength(9);
  expect(matched.filter((name) => !known.includes(name) && !OF_AWS.test(name))).toEqual([]);
});
