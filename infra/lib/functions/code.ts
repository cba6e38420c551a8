import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { AssetCode, Code } from 'aws-cdk-lib/aws-lambda';
import type { FUNCTION_NAMES } from '../contract/functions';

/** Name of a function of the stack, of its folder under lambdas/ and of its built directory. */
export type FunctionName = (typeof FUNCTION_NAMES)[number];

/** The infra folder. Relative paths in the context start here, whatever directory the app is run from. */
const INFRA_DIRECTORY = resolve(__dirname, '../..');

/** Thrown if a function has no code to deploy. The message names the function and the remedy. */
export class UnbuiltFunctionError extends Error {}

/**
 * Returns the built code of a function: `<lambdaDirectory>/<name>.zip` if it exists, else the directory
 * `<lambdaDirectory>/<name>/` with its `bootstrap`.
 *
 * Throws if neither exists, because CDK's own message would name neither the function nor the remedy.
 */
export function builtFunction(lambdaDirectory: string, name: FunctionName): AssetCode {
  const directory = resolve(INFRA_DIRECTORY, lambdaDirectory, name);
  const zip = `${directory}.zip`;
  if (existsSync(zip)) return Code.fromAsset(zip);
  const bootstrap = resolve(directory, 'bootstrap');
  if (!existsSync(bootstrap)) {
    throw new UnbuiltFunctionError(
      `the function \`${name}\` is not built: ${bootstrap} does not exist. \`make deploy\` builds and deploys the functions. To deploy by hand, build them with \`make lambdas\` and set the context key \`lambdaDirectory\` (now ${JSON.stringify(lambdaDirectory)}) to $CARGO_TARGET_DIR/lambda, which is ~/.cache/bedrock-batch/target/lambda by default`,
    );
  }
  return Code.fromAsset(directory);
}
