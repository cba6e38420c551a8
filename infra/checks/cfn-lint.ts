import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { App } from 'aws-cdk-lib';
import { OrchestratorStack } from '../lib/orchestrator-stack';
import { readSettings } from '../lib/settings/read';
import { dummyFunctions } from '../test/dummy-functions';
import { guardFindings } from './cfn-guard';

/*
 * Runs cfn-lint and cfn-guard over the synthesized template: with the context of an account, with that of the local stack, with
 * every optional part, and with none. Fails if one of them has a finding. cfn-lint comes with local/requirements.lock; CFN_LINT
 * names another one.
 */

const KEY = 'arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-0000-4000-8000-0123456789ab';

const CONTEXTS = {
  account: {},
  local: { bedrockEventSource: 'local.bedrock', bedrockEndpointUrl: 'http://127.0.0.1:4567', reconcileMinutes: 1 },
  complete: {
    lambdaArchitecture: 'arm64',
    inputBuckets: ['other-bucket'],
    maxTotalRecords: 1,
    inputKeyArns: KEY,
    encryptionKeyArn: KEY,
    jobSubnetIds: 'subnet-0a1b2c3d,subnet-1a1b2c3d',
    jobSecurityGroupIds: 'sg-0a1b2c3d',
    tags: 'project=tickets',
    notificationEmails: ['one@example.com', 'two@example.com'],
  },
  staged: { stage: 'dev' },
  minimal: { downloadLinks: false, notifyRuns: false },
};

/** CDK makes each function depend on its role by DependsOn as well as by reference. That is harmless, and not our code. */
const IGNORED = ['W3005'];

const program = process.env.CFN_LINT ?? resolve(__dirname, '../../.local/venv/bin/cfn-lint');
const directory = mkdtempSync(join(tmpdir(), 'bedrock-batch-template-'));
const lambdaDirectory = dummyFunctions();
try {
  const templates = Object.entries(CONTEXTS).map(([name, context]) => {
    const app = new App({ outdir: join(directory, name), context: { lambdaDirectory, ...context } });
    const stack = new OrchestratorStack(app, { settings: readSettings(app.node) });
    app.synth();
    return join(directory, name, stack.templateFile);
  });
  const result = spawnSync(program, ['--ignore-checks', ...IGNORED, '--template', ...templates], { stdio: 'inherit' });
  if (result.error)
    throw new Error(
      `${program} could not be run: ${result.error.message}. Install local/requirements.lock into .local/venv, or set CFN_LINT to the path of cfn-lint`,
    );
  process.exitCode = result.status ?? 1;
  if (result.status === 0) console.log(`cfn-lint: no findings in ${templates.length} templates`);
  const findings = guardFindings(templates);
  for (const finding of findings) console.error(`cfn-guard: ${finding}`);
  if (findings.length > 0) process.exitCode = 1;
  else console.log(`cfn-guard: no findings without a reason in ${templates.length} templates`);
} finally {
  for (const temporary of [directory, lambdaDirectory]) rmSync(temporary, { recursive: true, force: true });
}
