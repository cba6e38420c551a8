import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Alias } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { encryptionKey } from '../permissions/encryption';
import type { Settings } from '../settings/keys';
import { type NameSettings, resourceName } from '../settings/names';

/** Props of `Notifications`. */
export interface NotificationsProps {
  readonly settings: NameSettings & Pick<Settings, 'encryptionKeyArn'>;
  /** Addresses that are subscribed. */
  readonly emails: readonly string[];
}

/**
 * Topic of the emails about pipelines and runs that ended, with its subscriptions.
 *
 * Without a key of the account, AWS's own key for SNS encrypts it: its policy lets every publisher use it, so no role needs further permissions.
 */
export class Notifications extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id);
    this.topic = new Topic(this, 'Topic', {
      topicName: resourceName(props.settings, 'bedrock-batch-notifications'),
      displayName: 'Bedrock batch inference',
      masterKey: encryptionKey(this, props.settings) ?? Alias.fromAliasName(this, 'Key', 'alias/aws/sns'),
      enforceSSL: true,
    });
    for (const email of props.emails) this.topic.addSubscription(new EmailSubscription(email));
  }
}
