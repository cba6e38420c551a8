import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** Events that a function is invoked with. */
export interface FunctionEventsRule {
  /** Description of the rule. */
  readonly description: string;
  /** Pattern that the events match. */
  readonly pattern: EventPattern;
}

/** Props of `FunctionEvents`. */
export interface FunctionEventsProps extends FunctionEventsRule {
  /** Function that is invoked with each event. */
  readonly handler: HandlerFunction;
}

/**
 * Delivers events to a function.
 *
 * An event can be lost in two ways, and both end in one queue: EventBridge cannot deliver it, or the function fails on
 * every attempt. EventBridge invokes the function asynchronously, so it never learns of the second.
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
        'This queue is itself the dead-letter queue of an EventBridge target and of a function; the rule only recognises dead-letter queues of other queues.',
    });

    this.addRule('Rule', props);
    props.handler.configureAsyncInvoke({
      maxEventAge: DELIVERY_POLICY.maxEventAge,
      retryAttempts: 2,
      onFailure: new SqsDestination(this.deadLetters),
    });
  }

  /** Adds a rule that delivers further events to the same function. */
  protected addRule(id: string, { description, pattern }: FunctionEventsRule): void {
    new Rule(this, id, {
      description,
      eventPattern: pattern,
      targets: [new LambdaFunction(this.handler, { ...DELIVERY_POLICY, deadLetterQueue: this.deadLetters })],
    });
  }
}

/** By the maximum age, the reconciler has found the change by itself, or no execution waits for the event any longer. */
const DELIVERY_POLICY = { maxEventAge: Duration.hours(6), retryAttempts: 10 };
