import { describe, expect, test } from 'vitest';
import { ERROR_NAMES } from '../../lib/contract/error-names';
import { exampleTemplate } from '../example-stack';
import { allStates, definitionOf, type MachineName } from './definition';

type ErrorKey = keyof typeof ERROR_NAMES;

const template = exampleTemplate();

/** Returns the steps of a state machine whose Retry matches an error, by their names. */
function retriedBy(machine: MachineName, error: string): readonly string[] {
  const matches = ({ ErrorEquals }: { readonly ErrorEquals: readonly string[] }) =>
    ErrorEquals.some((name) => name === error || name === 'States.ALL' || name === 'States.TaskFailed');
  const states = Object.entries(allStates(definitionOf(template, machine)));
  return states.filter(([, { Retry = [] }]) => Retry.some(matches)).map(([name]) => name);
}

const FUNCTIONS_OF_RUNS = [
  'Preprocess',
  'SubmitJob',
  'PostprocessJob',
  'SubmitRetryJob',
  'AnswerRecords',
  'PostprocessChunk',
  'NextStep',
  'Finalize',
  'ExplainFailure',
].sort();
const FUNCTIONS_OF_PIPELINES = ['Validate', 'NotifySuccess', 'NotifyFailure'].sort();
const NOWHERE = { runs: [], pipelines: [] };
const EVERYWHERE = { runs: FUNCTIONS_OF_RUNS, pipelines: FUNCTIONS_OF_PIPELINES };

/** The steps that retry each error. A new error does not compile here until it is decided. */
const RETRIED = {
  invalidInput: NOWHERE,
  quotaExceeded: { runs: ['SubmitJob', 'SubmitRetryJob'], pipelines: [] },
  throttled: EVERYWHERE,
  transient: EVERYWHERE,
  accessDenied: NOWHERE,
  jobFailed: NOWHERE,
  superseded: NOWHERE,
  nameClash: NOWHERE,
  corrupt: NOWHERE,
  internal: NOWHERE,
} satisfies Record<ErrorKey, { readonly runs: readonly string[]; readonly pipelines: readonly string[] }>;

describe.each(Object.keys(ERROR_NAMES) as ErrorKey[])('%s', (key) => {
  test('is retried by the decided steps of a run and by no other', () => {
    expect([...retriedBy('Batch', ERROR_NAMES[key])].sort()).toEqual(RETRIED[key].runs);
  });

  test('is retried by the decided steps of a pipeline and by no other', () => {
    expect([...retriedBy('Pipelines', ERROR_NAMES[key])].sort()).toEqual(RETRIED[key].pipelines);
  });
});
