import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

/** Props of `Reconciliation`. */
export interface ReconciliationProps {
  /** Function that settles the jobs that have been silent. */
  readonly handler: HandlerFunction;
  /** Minutes from one check to the next. */
  readonly minutes: number;
}

/**
 * Checks, on a schedule, jobs without a recent event: Bedrock delivers events on a best-effort basis.
 *
 * A check that fails is not retried and leaves nothing behind: the next one finds the same jobs.
 */
export class Reconciliation extends Construct {
  readonly rule: Rule;

  constructor(scope: Construct, id: string, props: ReconciliationProps) {
    super(scope, id);
    this.rule = new Rule(this, 'Rule', {
      description: 'Schedule of the checks of silent Bedrock jobs',
      schedule: Schedule.rate(Duration.minutes(props.minutes)),
      targets: [new LambdaFunction(props.handler, { retryAttempts: 0 })],
    });
    props.handler.configureAsyncInvoke({ retryAttempts: 0 });
  }
}
