import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FUNCTION_NAMES } from '../lib/contract/functions';

/** Creates a directory of functions that do nothing, so that the checks of the stack need no Rust build. */
export function dummyFunctions(): string {
  const directory = mkdtempSync(join(tmpdir(), 'bedrock-batch-functions-'));
  for (const name of FUNCTION_NAMES) {
    mkdirSync(join(directory, name));
    writeFileSync(join(directory, name, 'bootstrap'), `#!/bin/sh\n# ${name}\n`, { mode: 0o755 });
  }
  return directory;
}
