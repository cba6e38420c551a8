import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { guardFindings } from '../checks/cfn-guard';

/** Writes a template of one queue, which cfn-guard wants to have a dead-letter queue. */
function queue(): string {
  const file = join(mkdtempSync(join(tmpdir(), 'template-')), 'template.json');
  writeFileSync(file, JSON.stringify({ Resources: { Jobs: { Type: 'AWS::SQS::Queue', Properties: {} } } }));
  return file;
}

test('cfn-guard finds a queue without a dead-letter queue', () => {
  expect(guardFindings([queue()], [])).toContain('sqs_dlq_check Jobs');
});

test('a reason covers the resources that it names, and needs a finding', () => {
  const accepted = (resources: RegExp) => [{ rule: 'sqs_dlq_check', resources, reason: 'a test' }];
  expect(guardFindings([queue()], accepted(/^Jobs$/))).not.toContain('sqs_dlq_check Jobs');
  const findings = guardFindings([queue()], accepted(/^Other$/));
  expect(findings).toContain('sqs_dlq_check Jobs');
  expect(findings).toContain('checks/cfn-guard.ts has a reason without a finding: sqs_dlq_check');
});
