import { expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { actionsOf, reach, statementsOf } from '../policies';

const template = exampleTemplate();
const BUCKET = '<DataBucket.Arn>';

test('validate writes only under runs/, and notify only summaries and lists of links', () => {
  expect(reach(template, 'ValidateRole', 's3:PutObject')).toEqual([`${BUCKET}/runs/*`]);
  expect(reach(template, 'NotifyRole', 's3:PutObject')).toEqual([
    `${BUCKET}/runs/*/links.txt`,
    `${BUCKET}/runs/*/summary.json`,
  ]);
});

const LINKED = [`${BUCKET}/batch_output_parquet/*`, `${BUCKET}/runs/*/links.txt`, `${BUCKET}/runs/*/summary.json`];

test('download reads the objects that links may lead to, and nothing else', () => {
  expect(reach(template, 'DownloadRole', 's3:GetObject')).toEqual(LINKED);
});

test('notify reads summaries and the names of stages, and what its presigned links lead to', () => {
  const own = [`${BUCKET}/runs/*/pipeline.json`, `${BUCKET}/runs/*/summary.json`];
  expect(reach(template, 'NotifyRole', 's3:GetObject')).toEqual(own);
  const presigning = statementsOf(exampleTemplate({ downloadLinks: false }), 'NotifyRole');
  const reads = presigning.filter(({ actions }) => actions.includes('s3:GetObject'));
  expect(reads.flatMap(({ resources }) => resources).sort()).toEqual([...own, ...LINKED].sort());
});

test.each(['NotifyRole', 'DownloadRole'])('%s reads the key that signs links', (role) => {
  expect(reach(template, role, 'secretsmanager:GetSecretValue')).toEqual([
    expect.stringMatching(/^<LinkKeySecret[0-9A-F]{8}>$/),
  ]);
});

test('no other role reads the key of the links', () => {
  const roles = Object.keys(template.findResources('AWS::IAM::Role'));
  const readers = roles.filter((role) => actionsOf(template, role).includes('secretsmanager:GetSecretValue'));
  expect(readers).toEqual([expect.stringMatching(/^DownloadRole/), expect.stringMatching(/^NotifyRole/)]);
});

test('without download links, notify has no key to sign them with', () => {
  const other = exampleTemplate({ downloadLinks: false });
  expect(actionsOf(other, 'NotifyRole')).not.toContain('secretsmanager:GetSecretValue');
});
