import { readFileSync } from 'node:fs';
import { review, type Session } from './rights/review';
import type { Template } from './rights/template';
import { UNUSED_GRANTS } from './rights/unused';

/*
 * Judges the calls that functions and state machines made in the end-to-end tests by the policies of the synthesized template,
 * with iam-simulate, which shares no code with us nor with the local stack:
 *
 *     npx tsx checks/rights.ts ../.local/e2e/record.json …
 *
 * Fails on a call without a grant, on a request that botocore's models refuse, and on a grant that no test uses and that has no
 * reason in `rights/unused.ts`. The sessions of one `make e2e` are judged together. `--calls-only` leaves the grants out,
 * for the record of a few tests.
 */

async function main(args: readonly string[]): Promise<void> {
  const sessions = args.filter((arg) => !arg.startsWith('--')).map(read);
  const reasons = UNUSED_GRANTS.map(({ grants }) => grants);
  const { problems, summary } = await review(sessions, args.includes('--calls-only') ? undefined : reasons);
  console.log(summary);
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

/** Reads a record of `tests/e2e/stack/recorded.py`, which names the file of its template. */
function read(file: string): Session {
  const record = JSON.parse(readFileSync(file, 'utf8')) as Omit<Session, 'template'> & { template: string };
  return { ...record, template: JSON.parse(readFileSync(record.template, 'utf8')) as Template };
}

void main(process.argv.slice(2));
