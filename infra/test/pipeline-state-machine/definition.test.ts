import { describe, expect, test } from 'vitest';
import { exampleTemplate } from '../example-stack';
import { actionsOf, statementsOf } from '../policies';
import { allStates, definitionOf, type State } from '../state-machine/definition';

const template = exampleTemplate();
const definition = definitionOf(template, 'Pipelines');
const states = allStates(definition);

function state(name: string): State {
  const found = states[name];
  if (found === undefined) throw new Error(`there is no state ${name}`);
  return found;
}

test('a pipeline is validated, then run stage by stage, then reported', () => {
  expect(definition.StartAt).toBe('Validate');
  expect(state('Validate').Next).toBe('RunStages');
  expect(state('RunStages').Next).toBe('NotifySuccess');
  expect(state('NotifySuccess').End).toBe(true);
  expect(Object.keys(states).sort()).toEqual([
    'NotifyFailure',
    'NotifySuccess',
    'PipelineFailed',
    'RunStage',
    'RunStages',
    'SucceededWithoutEmail',
    'Validate',
  ]);
});

describe('RunStages', () => {
  const map = state('RunStages');

  test('runs one stage after the other', () => {
    expect(map).toMatchObject({ Type: 'Map', ItemsPath: '$.stages', MaxConcurrency: 1 });
    expect(map.ItemProcessor).toMatchObject({ ProcessorConfig: { Mode: 'INLINE' }, StartAt: 'RunStage' });
    expect(Object.keys(map.ItemProcessor?.States ?? {})).toEqual(['RunStage']);
  });

  test('passes the result of Validate on, without results of its own', () => {
    expect(map.ResultPath).toBeNull();
    expect(map).not.toHaveProperty('ItemSelector');
  });

  test('is never retried as a whole', () => {
    expect(map).not.toHaveProperty('Retry');
  });
});

describe('RunStage', () => {
  const step = state('RunStage');

  test('waits for a run of the batch orchestrator, with the name and the input that Validate returned', () => {
    expect(step.Resource).toBe('arn:<AWS::Partition>:states:::states:startExecution.sync:2');
    // Without the field that Step Functions can add to the input: it would be an unknown field.
    expect(step.Arguments).toEqual({
      StateMachineArn: '<BatchStateMachine>',
      Name: '{% $states.input.execution_name %}',
      Input: '{% $states.input.input %}',
    });
  });

  test('returns nothing of the result of the run but a few bytes', () => {
    expect(step.Output).toBe('{% $states.input.index %}');
  });

  test('has no timeout, because a run may wait for quota for a week', () => {
    expect(step).not.toHaveProperty('TimeoutSeconds');
  });
});

describe('each state sends the payload of its function', () => {
  const context = {
    execution_name: '{% $states.context.Execution.Name %}',
    execution_arn: '{% $states.context.Execution.Id %}',
    started_at: '{% $states.context.Execution.StartTime %}',
  };

  test.each<[string, string, Record<string, unknown>]>([
    ['Validate', 'ValidateFunction', { action: 'pipeline', ...context, input: '{% $states.input %}' }],
    [
      'NotifySuccess',
      'NotifyFunction',
      {
        action: 'succeeded',
        pipeline_run_id: '{% $states.input.pipeline_run_id %}',
      },
    ],
    [
      'NotifyFailure',
      'NotifyFunction',
      {
        action: 'failed',
        ...context,
        input: '{% $states.context.Execution.Input %}',
        error: '{% $states.input.failure %}',
      },
    ],
  ])('%s', (name, functionName, payload) => {
    expect(state(name).Arguments).toEqual({ FunctionName: `<${functionName}:version>`, Payload: payload });
    expect(state(name).Output).toBe('{% $states.result.Payload %}');
  });
});

test.each([
  ['Validate', 900],
  ['NotifySuccess', 300],
  ['NotifyFailure', 300],
])('one attempt of %s has a timeout of %i seconds', (name, seconds) => {
  expect(state(name).TimeoutSeconds).toBe(seconds);
});

test('the state machine has its name, logs errors without data, and is traced', () => {
  template.hasResourceProperties('AWS::StepFunctions::StateMachine', {
    StateMachineName: { 'Fn::Join': ['', ['bedrock-pipeline-orchestrator-', { Ref: 'AWS::AccountId' }]] },
    StateMachineType: 'STANDARD',
    LoggingConfiguration: { Level: 'ERROR', IncludeExecutionData: false },
    TracingConfiguration: { Enabled: true },
  });
  template.hasResourceProperties('AWS::Logs::LogGroup', {
    LogGroupName: '/aws/vendedlogs/states/bedrock-pipeline-orchestrator',
    RetentionInDays: 30,
  });
});

test('its role invokes its two functions, and starts, watches and stops runs of the batch orchestrator', () => {
  const role = 'PipelinesStateMachineRole';
  expect(actionsOf(template, role).filter((action) => !/^(logs|xray):/.test(action))).toEqual([
    'events:DescribeRule',
    'events:PutRule',
    'events:PutTargets',
    'lambda:InvokeFunction',
    'states:DescribeExecution',
    'states:StartExecution',
    'states:StopExecution',
  ]);
  const reach = (action: string) =>
    statementsOf(template, role)
      .filter(({ actions }) => actions.includes(action))
      .flatMap(({ resources }) => resources);
  const invoked = reach('lambda:InvokeFunction');
  for (const name of ['Validate', 'Notify']) {
    expect(invoked).toEqual(expect.arrayContaining([`<${name}Function.Arn>`, `<${name}Function.Arn>:*`]));
  }
  expect(invoked.filter((resource) => !/^<(Validate|Notify)Function/.test(resource))).toEqual([]);
  expect(reach('states:StartExecution')).toEqual([expect.stringMatching(/^<BatchStateMachine[0-9A-F]{8}>$/)]);
  // The sixth part of the state machine's ARN is its name.
  const runs =
    /^arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:\{"Fn::Select":\[6,.*"BatchStateMachine[0-9A-F]{8}".*\}\*$/;
  expect(reach('states:StopExecution')).toEqual([expect.stringMatching(runs)]);
  expect(reach('states:DescribeExecution')).toEqual([expect.stringMatching(runs)]);
  expect(reach('events:PutRule')).toEqual([
    'arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule',
  ]);
});
