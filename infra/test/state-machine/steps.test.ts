import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { STEPS } from '../../lib/contract/steps';

const SOURCE = join(__dirname, '../../../crates/domain/src/run/step_name.rs');

/** The names of the steps in Rust, as they are written into JSON. */
function namesInRust(): string[] {
  const [, body] =
    /#\[serde\(rename_all = "snake_case"\)\]\s*pub enum StepName \{(.*?)\n\}/s.exec(readFileSync(SOURCE, 'utf8')) ?? [];
  const variants = [...(body ?? '').matchAll(/^ {4}(\w+),$/gm)].map(([, name]) => name ?? '');
  return variants.map((name) => name.replace(/(?!^)[A-Z]/g, '_$&').toLowerCase());
}

test('the steps here are those that preprocess may ask for', () => {
  expect(Object.values(STEPS).sort()).toEqual(namesInRust().sort());
});
