import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { FunctionEvents } from './function-events';

/** Props of `BrokenOffRuns`. */
export interface BrokenOffRunsProps {
  readonly stateMachine: StateMachine;
  /** Stops the jobs of the run that each event names. */
  readonly handler: HandlerFunction;
}

/**
 * Executions that end before their run does, on their way to the function that stops the run's Bedrock jobs.
 *
 * Children of the maps say the same of themselves, with the label of their map behind the ARN of the state machine. A
 * pattern of the ARN alone leaves them out: a child that fails takes its execution with it, and that one is heard.
 */
export class BrokenOffRuns extends FunctionEvents {
  constructor(scope: Construct, id: string, props: BrokenOffRunsProps) {
    super(scope, id, {
      description: 'Executions of the batch orchestrator that were aborted, failed or timed out',
      pattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [props.stateMachine.stateMachineArn],
          status: ['ABORTED', 'FAILED', 'TIMED_OUT'],
        },
      },
      handler: props.handler,
    });
  }
}
