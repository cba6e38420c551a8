import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

/** Props of `JobEvents`. */
export interface JobEventsProps {
  /** The source that the events carry. */
  readonly source: string;
  /** Settles the job of each event. */
  readonly handler: HandlerFunction;
}

/**
 * Bedrock's job events, on their way to the function that settles the job.
 *
 * Two ways of losing an event end in one queue: EventBridge cannot deliver it, or the function fails on it again and
 * again. EventBridge invokes the function asynchronously, so it never hears of the second.
 */
export class JobEvents extends Construct {
  readonly rule: Rule;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: JobEventsProps) {
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

    // An event older than this says nothing that a look at the job itself would not say better.
    const patience = { maxEventAge: Duration.hours(6), retryAttempts: 10 };
    this.rule = new Rule(this, 'Rule', {
      description: 'Batch inference jobs of Amazon Bedrock that changed their status',
      eventPattern: { source: [props.source], detailType: ['Batch Inference Job State Change'] },
      targets: [new LambdaFunction(props.handler, { ...patience, deadLetterQueue: this.deadLetters })],
    });
    props.handler.configureAsyncInvoke({
      maxEventAge: patience.maxEventAge,
      retryAttempts: 2,
      onFailure: new SqsDestination(this.deadLetters),
    });
  }
}
