import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** Props of `FunctionEvents`. */
export interface FunctionEventsProps {
  /** What the events tell. */
  readonly description: string;
  /** Which events they are. */
  readonly pattern: EventPattern;
  /** Is invoked with each event. */
  readonly handler: HandlerFunction;
}

/**
 * Events on their way to the function that acts on them.
 *
 * Two ways of losing an event end in one queue: EventBridge cannot deliver it, or the function fails on it again and
 * again. EventBridge invokes the function asynchronously, so it never hears of the second.
 */
export class FunctionEvents extends Construct {
  readonly rule: Rule;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: FunctionEventsProps) {
    super(scope, id);

    this.deadLetters = new Queue(this, 'DeadLetters', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(this.deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason:
        'This queue is the dead-letter queue, of an EventBridge target and of a function; the rule only knows those of other queues.',
    });

    // An event older than this says nothing that the reconciler has not seen for itself.
    const patience = { maxEventAge: Duration.hours(6), retryAttempts: 10 };
    this.rule = new Rule(this, 'Rule', {
      description: props.description,
      eventPattern: props.pattern,
      targets: [new LambdaFunction(props.handler, { ...patience, deadLetterQueue: this.deadLetters })],
    });
    props.handler.configureAsyncInvoke({
      maxEventAge: patience.maxEventAge,
      retryAttempts: 2,
      onFailure: new SqsDestination(this.deadLetters),
    });
  }
}
