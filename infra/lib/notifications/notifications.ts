import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Alias } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

/** Props of `Notifications`. */
export interface NotificationsProps {
  /** Who is told. */
  readonly emails: readonly string[];
}

/**
 * The topic that says how pipelines and runs ended, and the addresses it says it to.
 *
 * AWS's own key for SNS encrypts it: its policy lets everybody use it who may publish, so no role needs more.
 */
export class Notifications extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', {
      topicName: 'bedrock-batch-notifications',
      displayName: 'Bedrock batch inference',
      masterKey: Alias.fromAliasName(this, 'Key', 'alias/aws/sns'),
      enforceSSL: true,
    });
    for (const email of props.emails) this.topic.addSubscription(new EmailSubscription(email));
  }
}
