import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { executionStatus } from './execution-status';
import { FunctionEvents } from './function-events';

/** Props of `BrokenOffRuns`. */
export interface BrokenOffRunsProps {
  readonly stateMachine: StateMachine;
  /** Stops the jobs of the run that each event names. */
  readonly handler: HandlerFunction;
}

/**
 * Executions that end before their run does, on their way to the function that stops the run's Bedrock jobs. Children of
 * the maps are not among them: a child that fails takes its execution with it, and that one is heard.
 */
export class BrokenOffRuns extends FunctionEvents {
  constructor(scope: Construct, id: string, props: BrokenOffRunsProps) {
    super(scope, id, {
      description: 'Executions of the batch orchestrator that were aborted, failed or timed out',
      pattern: executionStatus(props.stateMachine, ['ABORTED', 'FAILED', 'TIMED_OUT']),
      handler: props.handler,
    });
  }
}
