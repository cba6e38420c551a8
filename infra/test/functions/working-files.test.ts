import { expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { actionsOf, reach } from '../policies';

const keeping = exampleTemplate();
const deleting = exampleTemplate({ deleteWorkingFilesAfterDays: 30 });

test('without a number of days no function may delete files, and none is told to', () => {
  expect(actionsOf(keeping, 'ReconcileRole').filter((action) => action.startsWith('s3:'))).toEqual([]);
  expect(JSON.stringify(keeping.findResources('AWS::Lambda::Function'))).not.toContain('DELETE_WORKING_FILES');
});

test('the reconciler deletes working files and the notes of them, and neither answers nor what names them', () => {
  const deletable = reach(deleting, 'ReconcileRole', 's3:DeleteObject').map((resource) => JSON.stringify(resource));
  const prefixes = ['batch_inputs_json/', 'batch_inputs_parquet/', 'batch_outputs_json/', 'expiring/'];
  expect(deletable).toHaveLength(prefixes.length);
  for (const prefix of prefixes) {
    expect(deletable.filter((resource) => resource.includes(`/${prefix}*`))).toHaveLength(1);
  }
});

test('finalize notes the day of each run, and both functions know the days', () => {
  const notes = reach(deleting, 'FinalizeRole', 's3:PutObject').map((resource) => JSON.stringify(resource));
  expect(notes.some((resource) => resource.includes('/expiring/*'))).toBe(true);
  const told = Object.values(deleting.findResources('AWS::Lambda::Function')).filter((found) =>
    JSON.stringify(found).includes('"DELETE_WORKING_FILES_AFTER_DAYS":"30"'),
  );
  expect(told).toHaveLength(2);
});
