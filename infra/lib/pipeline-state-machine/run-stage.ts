import { IntegrationPattern, type IStateMachine, type TaskStateBase, TaskInput } from 'aws-cdk-lib/aws-stepfunctions';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import { WHEN_NOT_STARTED } from '../state-machine/retries';

/**
 * Runs one stage: an execution of the batch orchestrator, waited for to its end. Its input is an object in S3.
 *
 * If the pipeline is aborted, Step Functions stops the execution that it waits for, which `StopExecution` in the
 * pipeline's role is for; the rule for broken-off runs then stops its Bedrock jobs.
 *
 * It has no timeout: each step of a run has its own, and a run may wait for Bedrock's quota for a week.
 */
export function runStage(scope: Construct, batch: IStateMachine): TaskStateBase {
  const step = StepFunctionsStartExecution.jsonata(scope, 'RunStage', {
    stateMachine: batch,
    integrationPattern: IntegrationPattern.RUN_JOB,
    name: '{% $states.input.execution_name %}',
    input: TaskInput.fromText('{% $states.input.input %}'),
    // Nothing of what the run returned: the map drops it, and twenty outputs together could be too large for it.
    outputs: '{% $states.input.index %}',
  });
  step.addRetry(WHEN_NOT_STARTED);
  return step;
}
