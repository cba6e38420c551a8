import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { actionsOf, statementsOf } from '../policies';
import { allStates, definitionOf, type State } from './definition';

const template = exampleTemplate();
const definition = definitionOf(template);
const states = allStates(definition);

function state(name: string): State {
  const found = states[name];
  if (found === undefined) throw new Error(`there is no state ${name}`);
  return found;
}

test('a run goes Preprocess, ProcessJobs, Finalize', () => {
  expect(definition.StartAt).toBe('Preprocess');
  expect(state('Preprocess').Next).toBe('ProcessJobs');
  expect(state('ProcessJobs').Next).toBe('Finalize');
  expect(state('Finalize').End).toBe(true);
});

test('a job costs two transitions: SubmitJob, PostprocessJob', () => {
  const children = state('ProcessJobs').ItemProcessor;
  expect(children?.StartAt).toBe('SubmitJob');
  expect(Object.keys(children?.States ?? {})).toEqual(['SubmitJob', 'PostprocessJob']);
  expect(state('SubmitJob').Next).toBe('PostprocessJob');
  expect(state('PostprocessJob').End).toBe(true);
});

test('states speak JSONata, except the map', () => {
  const languages = Object.entries(states).map(([name, { QueryLanguage }]) => [name, QueryLanguage ?? 'JSONPath']);
  expect(languages.filter(([, language]) => language !== 'JSONata')).toEqual([['ProcessJobs', 'JSONPath']]);
});

describe('the functions are given what they expect', () => {
  test.each<[string, string, Record<string, unknown>]>([
    [
      'Preprocess',
      'PreprocessFunction',
      {
        execution_name: '{% $states.context.Execution.Name %}',
        execution_arn: '{% $states.context.Execution.Id %}',
        started_at: '{% $states.context.Execution.StartTime %}',
        input: '{% $states.input %}',
      },
    ],
    [
      'SubmitJob',
      'SubmitFunction',
      {
        task_token: '{% $states.context.Task.Token %}',
        run_id: '{% $states.input.run_id %}',
        model_id: '{% $states.input.model_id %}',
        invocation_type: '{% $states.input.invocation_type %}',
        job: '{% $states.input.job %}',
      },
    ],
    ['PostprocessJob', 'PostprocessFunction', { run_id: '{% $states.input.run_id %}', job: '{% $states.input.job %}' }],
    [
      'Finalize',
      'FinalizeFunction',
      {
        action: 'summarize',
        run_id: '{% $states.input.run_id %}',
        execution_name: '{% $states.context.Execution.Name %}',
        started_at: '{% $states.context.Execution.StartTime %}',
      },
    ],
    [
      'ExplainFailure',
      'FinalizeFunction',
      { action: 'explain_failure', run_id: '{% $states.input.run_id %}', error: '{% $states.input.failure %}' },
    ],
  ])('%s', (name, functionName, payload) => {
    expect(state(name).Arguments).toEqual({ FunctionName: `<${functionName}>`, Payload: payload });
  });

  test('SubmitJob alone waits for an answer to its token', () => {
    const waiting = Object.entries(states).filter(([, { Resource }]) => Resource?.endsWith('.waitForTaskToken'));
    expect(waiting.map(([name]) => name)).toEqual(['SubmitJob']);
  });
});

describe('the map', () => {
  const map = state('ProcessJobs');

  test('runs a Standard child for each job of the manifest', () => {
    expect(map.ItemProcessor?.ProcessorConfig).toEqual({ Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' });
    expect(map.ItemReader).toEqual({
      Resource: 'arn:<AWS::Partition>:states:::s3:getObject',
      ReaderConfig: { InputType: 'JSON' },
      Parameters: { 'Bucket.$': '$.bucket', 'Key.$': '$.jobs_key' },
    });
    expect(map.ItemSelector).toEqual({
      'run_id.$': '$.run_id',
      'model_id.$': '$.model_id',
      'invocation_type.$': '$.invocation_type',
      'job.$': '$$.Map.Item.Value',
    });
  });

  test('has as many open jobs as preprocess says', () => {
    expect(map).toMatchObject({ MaxConcurrencyPath: '$.max_concurrent_jobs' });
    expect(map).not.toHaveProperty('MaxConcurrency');
  });

  test('tolerates no failed job', () => {
    expect(map).not.toHaveProperty('ToleratedFailureCount');
    expect(map).not.toHaveProperty('ToleratedFailurePercentage');
  });

  test('carries no results: children return a byte, which is dropped', () => {
    expect(state('PostprocessJob').Output).toBe('{% 0 %}');
    expect(map.ResultPath).toBeNull();
    expect(map).not.toHaveProperty('ResultWriter');
  });

  test('has a short label, because it becomes part of every child’s ARN', () => {
    expect(map.Label).toBe('Jobs');
  });
});

test.each([
  ['Preprocess', 900],
  ['SubmitJob', 25 * 3600],
  ['PostprocessJob', 900],
  ['Finalize', 300],
  ['ExplainFailure', 300],
])('one attempt of %s may take %i seconds', (name, seconds) => {
  expect(state(name).TimeoutSeconds).toBe(seconds);
});

test('SubmitJob waits an hour longer than Bedrock may take', () => {
  const other = allStates(definitionOf(exampleTemplate({ bedrockBatchInferenceTimeoutHours: 168 })));
  expect(other.SubmitJob?.TimeoutSeconds).toBe(169 * 3600);
});

test('the state machine has its name, logs errors without data, and is traced', () => {
  template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
    StateMachineName: { 'Fn::Join': ['', ['bedrock-batch-orchestrator-', { Ref: 'AWS::AccountId' }]] },
    StateMachineType: 'STANDARD',
    LoggingConfiguration: { Level: 'ERROR', IncludeExecutionData: false },
    TracingConfiguration: { Enabled: true },
  });
  template.hasResourceProperties('AWS::Logs::LogGroup', {
    LogGroupName: '/aws/vendedlogs/states/bedrock-batch-orchestrator',
    RetentionInDays: 30,
  });
});

test('its role invokes the functions of its steps, reads manifests, and starts and stops its own children', () => {
  const role = 'BatchStateMachineRole';
  expect(actionsOf(template, role).filter((action) => !/^(logs|xray):/.test(action))).toEqual([
    'lambda:InvokeFunction',
    's3:GetObject',
    'states:DescribeExecution',
    'states:RedriveExecution',
    'states:StartExecution',
    'states:StopExecution',
  ]);
  const statements = statementsOf(template, role);
  const invoked = statements
    .filter(({ actions }) => actions.includes('lambda:InvokeFunction'))
    .flatMap(({ resources }) => resources);
  expect(new Set(invoked.map((resource) => resource.replace(/:\*$/, '')))).toEqual(
    new Set(['Preprocess', 'Submit', 'Postprocess', 'Finalize'].map((name) => `<${name}Function.Arn>`)),
  );
  expect(statements.find(({ actions }) => actions.includes('s3:GetObject'))?.resources).toEqual([
    '<DataBucket.Arn>/runs/*',
  ]);
});
