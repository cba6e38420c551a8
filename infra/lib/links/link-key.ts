import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';

/**
 * The key that signs download links. Whoever has it can make links to any answers, so only the functions that sign and
 * check them may read it, and nobody ever sees it: it is made by Secrets Manager.
 *
 * It goes with the stack. The links that it signed lead to the stack's download function, which goes as well.
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
        'A rotation makes every link in every email invalid, weeks before its time. It is done by hand, to revoke them.',
    });
  }
}
