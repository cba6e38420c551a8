import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { encrypted } from '../permissions/encryption';
import type { Settings } from '../settings/keys';
import { type NameSettings, resourceName } from '../settings/names';

/**
 * Keys that sign download links: one per line of the secret, of which the first one signs. Secrets Manager generates
 * the first key. The holder of a key can make links to any answers, so only the functions that sign and check links
 * may read them.
 *
 * They are deleted with the stack. The links that they signed lead to the stack's download function, which is deleted
 * too.
 */
export class LinkKey extends Construct {
  readonly secret: Secret;

  constructor(scope: Construct, id: string, settings: NameSettings & Pick<Settings, 'encryptionKeyArn'>) {
    super(scope, id);
    this.secret = new Secret(this, 'Secret', {
      secretName: resourceName(settings, 'bedrock-batch-link-key'),
      description:
        'Signs the download links of the Bedrock batch orchestrator. One key per line, the newest first. Links of a removed key are invalid.',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.DESTROY,
      ...encrypted(this, settings),
    });
    Validations.of(this.secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Links in emails are valid for weeks, so a key has to stay beside its successor. It is rotated by hand, to revoke the links that it signed.',
    });
  }
}
