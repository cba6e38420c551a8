import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { Settings } from '../settings/keys';
import { executionStatus } from './execution-status';
import { FunctionEvents } from './function-events';

/** Props of `ExecutionEndEvents`. */
export interface ExecutionEndEventsProps {
  readonly settings: Pick<Settings, 'encryptionKeyArn'>;
  /** Pipeline orchestrator. */
  readonly pipelines: StateMachine;
  /** Batch orchestrator. @default - its runs end without an email */
  readonly runs?: StateMachine;
  /** Function that sends the emails. */
  readonly handler: HandlerFunction;
}

/**
 * Delivers executions that ended without sending an email themselves to the function that sends the emails.
 *
 * A pipeline has states for its emails, but none of them can start once it was aborted or has timed out. A run has no
 * such states. Stages of pipelines are runs too: the function recognises them by their input and ignores them.
 */
export class ExecutionEndEvents extends FunctionEvents {
  constructor(scope: Construct, id: string, props: ExecutionEndEventsProps) {
    super(scope, id, {
      settings: props.settings,
      description: 'Pipelines that were aborted or timed out',
      pattern: executionStatus(props.pipelines, ['ABORTED', 'TIMED_OUT']),
      handler: props.handler,
    });
    if (props.runs) {
      this.addRule('RunsRule', {
        description: 'Runs of the batch orchestrator that ended, in any way',
        pattern: executionStatus(props.runs, ['ABORTED', 'FAILED', 'SUCCEEDED', 'TIMED_OUT']),
      });
    }
  }
}
