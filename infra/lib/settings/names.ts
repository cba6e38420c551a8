import { Aws } from 'aws-cdk-lib';
import { FUNCTION_NAME_PREFIX } from '../contract/functions';
import type { Settings } from './keys';

/** Settings that names depend on. */
export type NameSettings = Pick<Settings, 'stage'>;

/** Name of the stack of a deployment without a stage. Existing deployments have it, so it never changes. */
const STACK_NAME = 'BedrockBatchOrchestratorStack';

/** Returns the name of the stack: each stage is a stack of its own. */
export function stackName({ stage }: NameSettings): string {
  return stage === undefined ? STACK_NAME : `${STACK_NAME}-${stage}`;
}

/**
 * Returns the name of a resource: `base`, followed by the stage and the region if the deployment has a stage.
 *
 * Names of the deployment without a stage stay as they are, because a new name would replace the resource. The end of a
 * name changes, not its beginning: the functions recognise state machines by it.
 */
export function resourceName({ stage }: NameSettings, base: string): string {
  return stage === undefined ? base : `${base}-${stage}-${Aws.REGION}`;
}

/** Returns the name of a function. */
export function functionNameOf(settings: NameSettings, name: string): string {
  return resourceName(settings, `${FUNCTION_NAME_PREFIX}${name}`);
}

/** Returns the namespace of the metrics of a deployment. */
export function metricsNamespace(settings: NameSettings): string {
  return resourceName(settings, 'BedrockBatch');
}

/** Returns the name of the batch orchestrator, known before it exists: so the functions that it invokes do not depend on it. */
export function batchStateMachineName(settings: NameSettings): string {
  return `${resourceName(settings, 'bedrock-batch-orchestrator')}-${Aws.ACCOUNT_ID}`;
}

/** Returns the name of the pipeline orchestrator, known before it exists for the same reason. */
export function pipelineStateMachineName(settings: NameSettings): string {
  return `${resourceName(settings, 'bedrock-pipeline-orchestrator')}-${Aws.ACCOUNT_ID}`;
}
