import { expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { reach, statementsOf } from '../policies';

const template = exampleTemplate({ inputBuckets: ['other-bucket'] });
const BUCKET = '<DataBucket.Arn>';

test('finalize reads the owner and the jobs of a run, and writes summaries and copies', () => {
  expect(reach(template, 'FinalizeRole', 'dynamodb:GetItem')).toEqual(['<TasksTable.Arn>']);
  expect(reach(template, 'FinalizeRole', 'dynamodb:Query')).toEqual(['<TasksTable.Arn>/index/run-index']);
  expect(reach(template, 'FinalizeRole', 's3:GetObject')).toEqual([
    `${BUCKET}/batch_output_parquet/*`,
    `${BUCKET}/runs/*/plan.json`,
    `${BUCKET}/runs/*/summary.json`,
  ]);
  expect(reach(template, 'FinalizeRole', 's3:PutObject')).toEqual([`${BUCKET}/*`, `${BUCKET}/runs/*/summary.json`]);
});

test('finalize writes no copies under the prefixes of the stack', () => {
  const denied = statementsOf(template, 'FinalizeRole').filter(({ effect }) => effect === 'Deny');
  expect(denied).toEqual([
    {
      sid: 'NoCopiesUnderPrefixesOfTheStack',
      effect: 'Deny',
      actions: ['s3:PutObject'],
      resources: [
        `${BUCKET}/batch_inputs_json/*`,
        `${BUCKET}/batch_inputs_parquet/*`,
        `${BUCKET}/batch_outputs_json/*`,
        `${BUCKET}/batch_output_parquet/*`,
        `${BUCKET}/trigger/*`,
        `${BUCKET}/settings/*`,
      ],
    },
  ]);
});
