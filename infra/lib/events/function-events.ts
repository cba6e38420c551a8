import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { type EventPattern, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { Settings } from '../settings/keys';
import { queueEncryption } from './queue-encryption';

/** Events that a function is invoked with. */
export interface FunctionEventsRule {
  /** Description of the rule. */
  readonly description: string;
  /** Pattern that the events match. */
  readonly pattern: EventPattern;
}

/** Props of `FunctionEvents`. */
export interface FunctionEventsProps extends FunctionEventsRule {
  readonly settings: Pick<Settings, 'encryptionKeyArn'>;
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
      ...queueEncryption(this, props.settings),
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
    // CDK grants the function the use of the key of the queue.
    for (const action of ['kms:GenerateDataKey*', 'kms:ReEncrypt*']) {
      Validations.of(props.handler.role ?? props.handler).acknowledge({
        id: `AwsSolutions-IAM5[Action::${action}]`,
        reason: 'Variants of one action of KMS, on the one key that encrypts the dead-letter queue.',
      });
    }
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
