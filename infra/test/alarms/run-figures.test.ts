import { Template } from 'aws-cdk-lib/assertions';
import { expect, test } from 'vitest';
import { METRICS } from '../../lib/contract/metrics';
import { exampleTemplate } from '../example-stack';

/** Returns the text of the dashboard, without escapes. */
function dashboard(template: Template): string {
  const [found] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
  return JSON.stringify(found?.Properties).replaceAll('\\', '');
}

test('the dashboard has every metric that functions write, with one line for each value of a dimension', () => {
  const shown = dashboard(exampleTemplate());
  for (const { name, dimension } of Object.values(METRICS)) {
    expect(shown).toContain(
      dimension === undefined ? `"BedrockBatch","${name}"` : `{BedrockBatch,${dimension}} MetricName="${name}"`,
    );
  }
});

test('a deployment without metrics shows none, and its functions write none', () => {
  const template = exampleTemplate({ metrics: false });
  for (const { name } of Object.values(METRICS)) expect(dashboard(template)).not.toContain(name);
  expect(JSON.stringify(template.findResources('AWS::Lambda::Function'))).not.toContain('METRICS_NAMESPACE');
});

test('the metrics of a stage have a namespace of their own', () => {
  const functions = JSON.stringify(exampleTemplate({ stage: 'dev' }).findResources('AWS::Lambda::Function'));
  expect(functions).toContain('"METRICS_NAMESPACE":{"Fn::Join":["",["BedrockBatch-dev-",{"Ref":"AWS::Region"}]]}');
});
