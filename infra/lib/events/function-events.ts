import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** What a function is told of. */
export interface FunctionEventsRule {
  /** What the events tell. */
  readonly description: string;
  /** Which events they are. */
  readonly pattern: EventPattern;
}

/** Props of `FunctionEvents`. */
export interface FunctionEventsProps extends FunctionEventsRule {
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
  readonly deadLetters: Queue;
  private readonly handler: HandlerFunction;

  constructor(scope: Construct, id: string, props: FunctionEventsProps) {
    super(scope, id);
    this.handler = props.handler;

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

    this.addRule('Rule', props);
    props.handler.configureAsyncInvoke({
      maxEventAge: PATIENCE.maxEventAge,
      retryAttempts: 2,
      onFailure: new SqsDestination(this.deadLetters),
    });
  }

  /** Further events for the same function. */
  protected addRule(id: string, { description, pattern }: FunctionEventsRule): void {
    new Rule(this, id, {
      description,
      eventPattern: pattern,
      targets: [new LambdaFunction(this.handler, { ...PATIENCE, deadLetterQueue: this.deadLetters })],
    });
  }
}

/** An older event says nothing that the reconciler has not seen for itself, or that anybody still waits for. */
const PATIENCE = { maxEventAge: Duration.hours(6), retryAttempts: 10 };
