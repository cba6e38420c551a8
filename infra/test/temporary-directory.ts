import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Sets one temporary directory for all tests and for the CDK, and deletes it after the tests. */
export default function setup(): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'bedrock-batch-infra-'));
  process.env.TMPDIR = directory;
  return () => {
    rmSync(directory, { recursive: true, force: true });
  };
}
