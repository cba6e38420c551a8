import { expect, test } from 'vitest';
import { exampleStack, exampleTemplate } from './example-stack';

const OUTPUTS = [
  'bucketName',
  'downloadUrl',
  'notificationTopicArn',
  'pipelineStateMachineArn',
  'pipelineStateMachineName',
  'stepFunctionArn',
  'stepFunctionName',
  'taskTableName',
];

function outputs(context: Record<string, unknown>): string[] {
  return Object.keys(exampleTemplate(context).toJSON().Outputs as object).sort();
}

test('the stack has the name and the outputs that users rely on', () => {
  expect(exampleStack().stack.stackName).toBe('BedrockBatchOrchestratorStack');
  expect(outputs({})).toEqual(OUTPUTS);
});

test('there is no download URL where the context wants none', () => {
  expect(outputs({ downloadLinks: false })).toEqual(OUTPUTS.filter((name) => name !== 'downloadUrl'));
});
