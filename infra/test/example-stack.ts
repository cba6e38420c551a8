import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { OrchestratorStack } from '../lib/orchestrator-stack';
import { readSettings } from '../lib/settings/read';
import { dummyFunctions } from './dummy-functions';

/** Returns the stack as the app creates it, with a context. */
export function exampleStack(context: Record<string, unknown> = {}): { app: App; stack: OrchestratorStack } {
  const app = new App({ context: { lambdaDirectory: dummyFunctions(), ...context } });
  return {
    app,
    stack: new OrchestratorStack(app, { settings: readSettings(app.node) }),
  };
}

/** Returns the template of the stack. */
export function exampleTemplate(context: Record<string, unknown> = {}): Template {
  return Template.fromStack(exampleStack(context).stack);
}
