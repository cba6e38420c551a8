import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { executionStatus } from './execution-status';
import { FunctionEvents } from './function-events';

/** Props of `Endings`. */
export interface EndingsProps {
  readonly pipelines: StateMachine;
  /** The batch orchestrator. @default - its runs end without an email */
  readonly runs?: StateMachine;
  /** Sends the emails. */
  readonly handler: HandlerFunction;
}

/**
 * Executions that ended and have not said so themselves, on their way to the function that sends the emails.
 *
 * A pipeline has states for its emails, but none that could begin any more when it is aborted or timed out. A run has
 * none at all. Stages of pipelines are runs too: the function knows them by their input, and passes them over.
 */
export class Endings extends FunctionEvents {
  constructor(scope: Construct, id: string, props: EndingsProps) {
    super(scope, id, {
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
