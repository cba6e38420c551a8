import { IntegrationPattern, type IStateMachine, type TaskStateBase, TaskInput } from 'aws-cdk-lib/aws-stepfunctions';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { fromInput, type ResultField } from '../state-machine/payload';
import { WHEN_NOT_STARTED } from '../state-machine/retries';

/**
 * Creates the state that runs one stage: it starts an execution of the batch orchestrator and waits for its end. The
 * input of the execution is an object in S3.
 *
 * If the pipeline is aborted, Step Functions stops the execution that it waits for, which is why the pipeline's role has
 * `StopExecution`; `AbortedRunEvents` then stop its Bedrock jobs.
 *
 * It has no timeout: each state of a run has its own, and a run may wait for Bedrock's quota for a week.
 */
export function runStage(scope: Construct, batch: IStateMachine): TaskStateBase {
  const stage = fromInput<ResultField<'stage'>>('execution_name', 'input', 'index');
  const step = StepFunctionsStartExecution.jsonata(scope, 'RunStage', {
    stateMachine: batch,
    integrationPattern: IntegrationPattern.RUN_JOB,
    name: stage.execution_name,
    input: TaskInput.fromText(stage.input),
    // Without the run's own output: the map discards it, and twenty outputs together could exceed its size limit.
    outputs: stage.index,
  });
  step.addRetry(WHEN_NOT_STARTED);
  return step;
}
