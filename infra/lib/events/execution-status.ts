import type { EventPattern } from 'aws-cdk-lib/aws-events';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';

/** How an execution may end. */
export type Ending = 'ABORTED' | 'FAILED' | 'SUCCEEDED' | 'TIMED_OUT';

/**
 * Executions of a state machine that ended so.
 *
 * Children of its maps say the same of themselves, with the label of their map behind the ARN of the state machine. A
 * pattern of the ARN alone leaves them out.
 */
export function executionStatus(stateMachine: StateMachine, endings: readonly Ending[]): EventPattern {
  return {
    source: ['aws.states'],
    detailType: ['Step Functions Execution Status Change'],
    detail: { stateMachineArn: [stateMachine.stateMachineArn], status: endings },
  };
}
