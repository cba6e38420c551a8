import { App } from 'aws-cdk-lib';
import { UnbuiltFunctionError } from '../lib/functions/code';
import { OrchestratorStack } from '../lib/orchestrator-stack';
import { readSettings, SettingsError } from '../lib/settings/read';

try {
  const app = new App();
  new OrchestratorStack(app, { settings: readSettings(app.node) });
} catch (error) {
  // Errors that a user can fix are reported without a stack trace.
  if (!(error instanceof SettingsError || error instanceof UnbuiltFunctionError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
