import { expect, test } from 'vitest';
import { exampleStack, exampleTemplate } from './example-stack';

const OUTPUTS = [
  'alarmTopicArn',
  'bucketName',
  'downloadUrl',
  'notificationTopicArn',
  'pipelineStateMachineArn',
  'pipelineStateMachineName',
  'pipelineStepFunctionName',
  'stepFunctionArn',
  'stepFunctionName',
  'taskTableName',
  'version',
];

function outputs(context: Record<string, unknown>): string[] {
  return Object.keys(exampleTemplate(context).toJSON().Outputs as object).sort();
}

test('the Python sample finds the name of the pipeline orchestrator under its own name', () => {
  const { Outputs } = exampleTemplate().toJSON() as { Outputs: Record<string, { Value: unknown }> };
  expect(Outputs.pipelineStepFunctionName?.Value).toEqual(Outputs.pipelineStateMachineName?.Value);
});

test('the stack has the name and the outputs that users rely on', () => {
  expect(exampleStack().stack.stackName).toBe('BedrockBatchOrchestratorStack');
  expect(outputs({})).toEqual(OUTPUTS);
});

test('the download URL is no output if the context disables download links', () => {
  expect(outputs({ downloadLinks: false })).toEqual(OUTPUTS.filter((name) => name !== 'downloadUrl'));
});
