import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Gives all tests, and the CDK under them, one temporary directory that goes when they are done. */
export default function setup(): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'bedrock-batch-infra-'));
  process.env.TMPDIR = directory;
  return () => {
    rmSync(directory, { recursive: true, force: true });
  };
}
