import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { AssetCode, Code } from 'aws-cdk-lib/aws-lambda';

/** The functions of the stack: the name is that of the construct, of the folder under lambdas/ and of the built directory. */
export const FUNCTION_NAMES = [
  'preprocess',
  'submit',
  'job-status',
  'postprocess',
  'invoke',
  'finalize',
  'reconcile',
  'stop-jobs',
  'validate',
  'notify',
  'trigger',
  'download',
] as const;

/** The name of a function of the stack. */
export type FunctionName = (typeof FUNCTION_NAMES)[number];

/** The infra folder: relative paths in the context start here, wherever the app is run from. */
const INFRA_DIRECTORY = resolve(__dirname, '../..');

/** A function has no code to deploy; the message says which, and what to do. */
export class UnbuiltFunctionError extends Error {}

/**
 * The built code of a function: `<lambdaDirectory>/<name>.zip` if there is one, else everything in
 * `<lambdaDirectory>/<name>/`, with `bootstrap` in it.
 *
 * Throws when neither is there, because CDK's own message would name neither the function nor the remedy.
 */
export function builtFunction(lambdaDirectory: string, name: FunctionName): AssetCode {
  const directory = resolve(INFRA_DIRECTORY, lambdaDirectory, name);
  const zip = `${directory}.zip`;
  if (existsSync(zip)) return Code.fromAsset(zip);
  const bootstrap = resolve(directory, 'bootstrap');
  if (!existsSync(bootstrap)) {
    throw new UnbuiltFunctionError(
      `the function \`${name}\` is not built: ${bootstrap} does not exist. Build the functions with \`make lambdas\`, or point the context key \`lambdaDirectory\` (now ${JSON.stringify(lambdaDirectory)}) at a directory that holds ${name}/bootstrap`,
    );
  }
  return Code.fromAsset(directory);
}
