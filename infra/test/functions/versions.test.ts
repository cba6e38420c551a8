import type { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';

const template = exampleTemplate();

function versionsOf(of: Template): Record<string, Record<string, unknown>> {
  return of.findResources('AWS::Lambda::Version');
}

test('the functions that states call are published, and no others', () => {
  const functions = Object.keys(versionsOf(template)).map((id) => id.replace(/FunctionCurrentVersion.*$/, ''));
  expect(functions.sort()).toEqual(['Finalize', 'Invoke', 'Notify', 'Postprocess', 'Preprocess', 'Submit', 'Validate']);
});

// An execution that began before an update still calls the version that the update takes out of the template.
test('a version stays when the next one is published', () => {
  for (const version of Object.values(versionsOf(template))) {
    expect(version).toMatchObject({ DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
  }
});

test('a function whose settings change gets another version, and the others keep theirs', () => {
  const before = Object.keys(versionsOf(template));
  const after = Object.keys(versionsOf(exampleTemplate({ lateAnswersSeconds: 121 })));
  expect(after.filter((id) => !before.includes(id))).toEqual([expect.stringMatching(/^PostprocessFunction/)]);
});
