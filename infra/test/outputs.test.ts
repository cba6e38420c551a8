import { expect, test } from 'vitest';
import { exampleStack, exampleTemplate } from './example-stack';

test('the stack has the name and the outputs that users rely on', () => {
  expect(exampleStack().stack.stackName).toBe('BedrockBatchOrchestratorStack');
  const outputs = Object.keys(exampleTemplate().toJSON().Outputs as object);
  expect(outputs.sort()).toEqual(['bucketName', 'stepFunctionArn', 'stepFunctionName', 'taskTableName']);
});
