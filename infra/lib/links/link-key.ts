import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

/**
 * Key that signs download links. Its holder can make links to any answers, so only the functions that sign and check
 * links may read it, and no person ever sees it: Secrets Manager generates it.
 *
 * It is deleted with the stack. The links that it signed lead to the stack's download function, which is deleted too.
 */
export class LinkKey extends Construct {
  readonly secret: Secret;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.secret = new Secret(this, 'Secret', {
      secretName: 'bedrock-batch-link-key',
      description: 'Signs the download links of the Bedrock batch orchestrator. A new value makes all links invalid.',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(this.secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'A rotation invalidates every link in every email, weeks before it expires. It is done by hand, to revoke the links.',
    });
  }
}
