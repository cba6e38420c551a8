import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

/** Props of `Reconciliation`. */
export interface ReconciliationProps {
  /** Settles the jobs that have been silent. */
  readonly handler: HandlerFunction;
  readonly minutes: number;
}

/**
 * A look, now and then, at jobs of which nothing was heard for a while: events of Bedrock are best effort.
 *
 * A look that fails is not repeated and leaves nothing behind: the next one sees the same jobs.
 */
export class Reconciliation extends Construct {
  readonly rule: Rule;

  constructor(scope: Construct, id: string, props: ReconciliationProps) {
    super(scope, id);
    this.rule = new Rule(this, 'Rule', {
      description: 'Time to look at the Bedrock jobs that have been silent',
      schedule: Schedule.rate(Duration.minutes(props.minutes)),
      targets: [new LambdaFunction(props.handler, { retryAttempts: 0 })],
    });
    props.handler.configureAsyncInvoke({ retryAttempts: 0 });
  }
}
