import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { actionsOf, statementsOf } from '../policies';
import { STEPS } from '../../lib/contract/steps';
import { allStates, definitionOf, mapsOf, type State } from './definition';
import { evaluate } from './jsonata';

const template = exampleTemplate();
const definition = definitionOf(template);
const states = allStates(definition);

const SUBMISSION_FIELDS = ['run_id', 'execution_arn', 'model_id', 'invocation_type', 'falls_back', 'job'];

const REDRIVE_COUNT =
  '{% $exists($states.context.Execution.RedriveCount) ? $states.context.Execution.RedriveCount : 0 %}';

/** Payload of both submissions: the task token, the order of the attempt, and fields of the input under their own names. */
const SUBMISSION = {
  task_token: '{% $states.context.Task.Token %}',
  redrive_count: REDRIVE_COUNT,
  retry_count: '{% $states.context.State.RetryCount %}',
  ...Object.fromEntries(SUBMISSION_FIELDS.map((field) => [field, `{% $states.input.${field} %}`])),
};

function state(name: string): State {
  const found = states[name];
  if (found === undefined) throw new Error(`there is no state ${name}`);
  return found;
}

test('a run goes from Preprocess to the steps that preprocess decides, map after map, until the last one', () => {
  expect(definition.StartAt).toBe('Preprocess');
  expect(state('Preprocess').Next).toBe('Route');
  for (const name of Object.keys(mapsOf(definition))) expect(state(name).Next).toBe('NextStep');
  expect(state('NextStep').Next).toBe('Route');
  expect(state('Finalize').End).toBe(true);
});

describe('Route', () => {
  test('has a state for every step', () => {
    const choices = state('Route').Choices?.map(({ Variable, StringEquals, Next }) => [Variable, StringEquals, Next]);
    expect(choices).toEqual([
      ['$.step', 'process_jobs', 'ProcessJobs'],
      ['$.step', 'retry_jobs', 'RetryJobs'],
      ['$.step', 'answer_on_demand', 'AnswerOnDemand'],
      ['$.step', 'join_chunks', 'JoinChunks'],
      ['$.step', 'finish', 'Finalize'],
    ]);
    expect(choices?.map(([, step]) => step).sort()).toEqual(Object.values(STEPS).sort());
  });

  test('ends the run on any other step, and names it', async () => {
    expect(state('Route').Default).toBe('UnknownStep');
    const { Type, Error: error, Cause: cause } = state('UnknownStep');
    expect({ Type, error }).toEqual({ Type: 'Fail', error: 'UnknownStep' });
    const message = (await evaluate(cause, { input: { step: 'dance' } })) as string;
    expect(message).toContain('returned the step `dance`');
    expect(await evaluate(cause, { input: {} })).toContain('returned the step ``');
  });
});

describe('the children of', () => {
  test.each([
    ['ProcessJobs', 'SubmitJob', ['SubmitJob', 'PostprocessJob']],
    ['RetryJobs', 'SubmitRetryJob', ['SubmitRetryJob']],
    ['AnswerOnDemand', 'AnswerRecords', ['AnswerRecords', 'AllAnswered?', 'AllAnswered']],
    ['JoinChunks', 'PostprocessChunk', ['PostprocessChunk']],
  ])('%s start with %s and take no more transitions than they need', (map, start, names) => {
    const children = state(map).ItemProcessor;
    expect(children?.StartAt).toBe(start);
    expect(Object.keys(children?.States ?? {})).toEqual(names);
  });

  test.each(Object.entries(mapsOf(definition)))('%s return one byte', (_, { ItemProcessor }) => {
    const last = Object.values(ItemProcessor?.States ?? {}).filter(({ End }) => End === true);
    expect(last.map(({ Output }) => Output)).toEqual(['{% 0 %}']);
  });

  test('ProcessJobs write the answered rows when their job is over', () => {
    expect(state('SubmitJob')).toMatchObject({ Next: 'PostprocessJob', Output: '{% $states.input %}' });
  });

  test('AnswerOnDemand continue with the same job until every record is answered', async () => {
    expect(state('AnswerRecords').Next).toBe('AllAnswered?');
    expect(state('AllAnswered?')).toMatchObject({
      Choices: [{ Variable: '$.done', BooleanEquals: true, Next: 'AllAnswered' }],
      Default: 'AnswerRecords',
    });
    const input = { run_id: 'r', job: { index: 3 }, done: false };
    expect(await evaluate(state('AnswerRecords').Output, { input, result: { Payload: { done: true } } })).toEqual({
      ...input,
      done: true,
    });
  });
});

test.each([
  [{}, 0],
  [{ RedriveCount: 2 }, 2],
])('an execution %o was redriven %i times', async (execution, expected) => {
  expect(await evaluate(REDRIVE_COUNT, { context: { Execution: execution } })).toBe(expected);
});

test('states that invoke functions use JSONata; maps and choices use JSONPath', () => {
  const using = (language: string) =>
    Object.values(states).filter(({ QueryLanguage }) => (QueryLanguage ?? 'JSONPath') === language);
  expect(new Set(using('JSONPath').map(({ Type }) => Type))).toEqual(new Set(['Choice', 'Map']));
  expect(new Set(using('JSONata').map(({ Type }) => Type))).toEqual(new Set(['Task', 'Pass', 'Fail']));
});

describe('each state sends the payload of its function', () => {
  test.each<[string, string, Record<string, unknown>]>([
    [
      'Preprocess',
      'PreprocessFunction',
      {
        action: 'start',
        execution_name: '{% $states.context.Execution.Name %}',
        execution_arn: '{% $states.context.Execution.Id %}',
        started_at: '{% $states.context.Execution.StartTime %}',
        input: '{% $states.input %}',
      },
    ],
    ['NextStep', 'PreprocessFunction', { action: 'next_step', state: '{% $states.input %}' }],
    ['SubmitJob', 'SubmitFunction', SUBMISSION],
    ['SubmitRetryJob', 'SubmitFunction', SUBMISSION],
    [
      'AnswerRecords',
      'InvokeFunction',
      {
        run_id: '{% $states.input.run_id %}',
        execution_arn: '{% $states.input.execution_arn %}',
        job: '{% $states.input.job %}',
      },
    ],
    [
      'PostprocessChunk',
      'PostprocessFunction',
      {
        run_id: '{% $states.input.run_id %}',
        execution_arn: '{% $states.input.execution_arn %}',
        chunk: '{% $states.input.chunk %}',
      },
    ],
    [
      'PostprocessJob',
      'PostprocessFunction',
      {
        run_id: '{% $states.input.run_id %}',
        execution_arn: '{% $states.input.execution_arn %}',
        job: '{% $states.input.job %}',
      },
    ],
    [
      'Finalize',
      'FinalizeFunction',
      {
        action: 'summarize',
        run_id: '{% $states.input.run_id %}',
        execution_arn: '{% $states.input.execution_arn %}',
      },
    ],
    [
      'ExplainFailure',
      'FinalizeFunction',
      { action: 'explain_failure', run_id: '{% $states.input.run_id %}', error: '{% $states.input.failure %}' },
    ],
  ])('%s', (name, functionName, payload) => {
    expect(state(name).Arguments).toEqual({ FunctionName: `<${functionName}:version>`, Payload: payload });
  });

  test('every state that invokes a function is among these', () => {
    const tasks = Object.values(states).filter(({ Type }) => Type === 'Task');
    expect(tasks).toHaveLength(9);
  });

  test('only submissions wait for their task token', () => {
    const waiting = Object.entries(states).filter(([, { Resource }]) => Resource?.endsWith('.waitForTaskToken'));
    expect(waiting.map(([name]) => name)).toEqual(['SubmitJob', 'SubmitRetryJob']);
  });
});

describe.each(Object.entries(mapsOf(definition)))('%s', (_, map) => {
  test('runs a Standard child for each item of the current manifest', () => {
    expect(map.ItemProcessor?.ProcessorConfig).toEqual({ Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' });
    expect(map.ItemReader).toEqual({
      Resource: 'arn:<AWS::Partition>:states:::s3:getObject',
      ReaderConfig: { InputType: 'JSON' },
      Parameters: { 'Bucket.$': '$.bucket', 'Key.$': '$.manifest_key' },
    });
  });

  test('has the maximum concurrency that preprocess decides', () => {
    expect(map).toMatchObject({ MaxConcurrencyPath: '$.max_concurrency' });
    expect(map).not.toHaveProperty('MaxConcurrency');
  });

  test('tolerates no failed child', () => {
    expect(map).not.toHaveProperty('ToleratedFailureCount');
    expect(map).not.toHaveProperty('ToleratedFailurePercentage');
  });

  test('passes its input on, without results', () => {
    expect(map.ResultPath).toBeNull();
    expect(map).not.toHaveProperty('ResultWriter');
    expect(map).not.toHaveProperty('OutputPath');
  });
});

describe('the maps', () => {
  const submission = {
    'run_id.$': '$.run_id',
    'execution_arn.$': '$.execution_arn',
    'model_id.$': '$.model_id',
    'invocation_type.$': '$.invocation_type',
    'falls_back.$': '$.falls_back',
    'job.$': '$$.Map.Item.Value',
  };

  test.each([
    ['ProcessJobs', submission],
    ['RetryJobs', submission],
    ['AnswerOnDemand', { 'run_id.$': '$.run_id', 'execution_arn.$': '$.execution_arn', 'job.$': '$$.Map.Item.Value' }],
    ['JoinChunks', { 'run_id.$': '$.run_id', 'execution_arn.$': '$.execution_arn', 'chunk.$': '$$.Map.Item.Value' }],
  ])('pass the fields on that their children need: %s', (name, selector) => {
    expect(state(name).ItemSelector).toEqual(selector);
  });

  test('have short, unique labels, because these become part of their children’s ARNs', () => {
    expect(Object.entries(mapsOf(definition)).map(([name, { Label }]) => [name, Label])).toEqual([
      ['ProcessJobs', 'Jobs'],
      ['RetryJobs', 'Retries'],
      ['AnswerOnDemand', 'OnDemand'],
      ['JoinChunks', 'Chunks'],
    ]);
  });
});

test.each([
  ['Preprocess', 900],
  ['NextStep', 900],
  ['SubmitJob', 28 * 3600],
  ['SubmitRetryJob', 28 * 3600],
  ['PostprocessJob', 900],
  ['PostprocessChunk', 900],
  ['Finalize', 900],
  ['ExplainFailure', 300],
])('one attempt of %s has a timeout of %i seconds', (name, seconds) => {
  expect(state(name).TimeoutSeconds).toBe(seconds);
});

test.each(['SubmitJob', 'SubmitRetryJob'])('%s waits four hours longer than the timeout of its job', (name) => {
  const other = allStates(definitionOf(exampleTemplate({ bedrockBatchInferenceTimeoutHours: 168 })));
  expect(other[name]?.TimeoutSeconds).toBe(172 * 3600);
});

test('no second attempt of AnswerRecords starts while the first may still send requests', () => {
  const [invoke] = Object.values(
    template.findResources('AWS::Lambda::Function', { Properties: { FunctionName: 'bedrock-batch-invoke' } }),
  );
  const { Timeout } = (invoke as { Properties: { Timeout: number } }).Properties;
  // At least a minute, for the time in which Lambda starts the function and reports its end.
  expect(state('AnswerRecords').TimeoutSeconds).toBeGreaterThanOrEqual(Timeout + 60);
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

test('its role invokes the functions of its states, reads manifests, and starts and stops its own children', () => {
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
  // All versions, and not only those of this deployment: executions that began before it call older ones.
  for (const name of ['Preprocess', 'Submit', 'Postprocess', 'Invoke', 'Finalize']) {
    expect(invoked).toEqual(expect.arrayContaining([`<${name}Function.Arn>`, `<${name}Function.Arn>:*`]));
  }
  expect(
    invoked.filter((resource) => !/^<(Preprocess|Submit|Postprocess|Invoke|Finalize)Function/.test(resource)),
  ).toEqual([]);
  expect(statements.find(({ actions }) => actions.includes('s3:GetObject'))?.resources).toEqual([
    '<DataBucket.Arn>/runs/*',
  ]);
  const redriven = statements.find(({ actions }) => actions.includes('states:RedriveExecution'))?.resources ?? [];
  expect(redriven.map((resource) => resource.replace(/^.*\//, '')).sort()).toEqual(
    ['Jobs', 'Retries', 'OnDemand', 'Chunks'].map((label) => `${label}:*`).sort(),
  );
});
