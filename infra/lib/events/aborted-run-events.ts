import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { Settings } from '../settings/keys';
import { executionStatus } from './execution-status';
import { FunctionEvents } from './function-events';

/** Props of `AbortedRunEvents`. */
export interface AbortedRunEventsProps {
  readonly settings: Pick<Settings, 'encryptionKeyArn'>;
  readonly stateMachine: StateMachine;
  /** Function that stops the jobs of the run that an event names. */
  readonly handler: HandlerFunction;
}

/**
 * Delivers executions that ended before their run did to the function that stops the run's Bedrock jobs.
 *
 * Children of the maps are not among them: a child that fails ends its execution, and that event is delivered.
 */
export class AbortedRunEvents extends FunctionEvents {
  constructor(scope: Construct, id: string, props: AbortedRunEventsProps) {
    super(scope, id, {
      settings: props.settings,
      description: 'Executions of the batch orchestrator that were aborted, failed or timed out',
      pattern: executionStatus(props.stateMachine, ['ABORTED', 'FAILED', 'TIMED_OUT']),
      handler: props.handler,
    });
  }
}
