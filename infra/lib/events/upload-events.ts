import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { PREFIXES } from '../contract/storage-prefixes';
import type { Settings } from '../settings/keys';
import { queueEncryption } from './queue-encryption';

/** Props of `UploadEvents`. */
export interface UploadEventsProps {
  readonly settings: Pick<Settings, 'encryptionKeyArn'>;
  readonly bucket: IBucket;
  /** Timeout of the function that reads the queue. */
  readonly handlerTimeout: Duration;
}

/**
 * Puts the events of uploads under `trigger/` into a queue, from which a function starts executions for them.
 *
 * In a queue, uploads can wait: a function that is invoked with each event would have to start an execution at once, or
 * lose the upload. An event on which the function fails again and again goes to the dead-letter queue.
 *
 * The function's own error files are among the events, and the function ignores them: a pattern can match the beginning
 * of a key or exclude an ending, but not both.
 */
export class UploadEvents extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, props: UploadEventsProps) {
    super(scope, id);
    const shared = {
      ...queueEncryption(this, props.settings),
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.DESTROY,
    };
    this.deadLetters = new Queue(this, 'DeadLetters', shared);
    Validations.of(this.deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'This queue is itself the dead-letter queue of an EventBridge target and of the queue of uploads.',
    });
    this.queue = new Queue(this, 'Queue', {
      ...shared,
      // As AWS recommends for queues that invoke functions, so that no message arrives again while it is being handled.
      visibilityTimeout: Duration.seconds(6 * props.handlerTimeout.toSeconds()),
      // Some five hours of faults. Uploads that wait are not among the failures: they are put back as new messages.
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 50 },
    });
    new Rule(this, 'Rule', {
      description: `Uploads under ${PREFIXES.trigger}/`,
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: {
          bucket: { name: [props.bucket.bucketName] },
          object: { key: [{ prefix: `${PREFIXES.trigger}/` }] },
        },
      },
      targets: [
        new SqsQueue(this.queue, {
          deadLetterQueue: this.deadLetters,
          maxEventAge: Duration.hours(24),
          retryAttempts: 185,
        }),
      ],
    });
  }
}
