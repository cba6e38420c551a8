import { Duration } from 'aws-cdk-lib';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../contract/environment';
import { PREFIXES } from '../contract/storage-prefixes';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Everything that is needed to make links for the download function. */
export interface DownloadLinks {
  /** URL of the function. */
  readonly url: string;
  /** Key that signs the links. */
  readonly key: ISecret;
}

/** Props of `DownloadFunction`. */
export interface DownloadFunctionProps extends SharedFunctionProps {
  /** Key that signs the links. */
  readonly key: ISecret;
}

/**
 * Checks the signed token of a link and redirects to its object, presigned for a few minutes.
 *
 * A URL presigned by a function expires with the function's session, within hours; links in emails are valid for weeks.
 * The function's URL requires no AWS credentials, because the reader of an email has none: it requires the token. Its
 * role reads nothing but answers and lists of links, so no token gives access to anything else.
 */
export class DownloadFunction extends OrchestratorFunction {
  readonly links: DownloadLinks;

  constructor(scope: Construct, id: string, props: DownloadFunctionProps) {
    const { bucket, key } = props;
    super(scope, id, {
      ...props,
      name: 'download',
      memoryMb: 256,
      timeout: Duration.seconds(30),
      environment: { [ENVIRONMENT.linkKeySecretArn]: key.secretArn },
    });
    const { url } = this.function.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
    this.links = { url, key };

    this.allow({
      sid: 'ReadAnswersAndLinks',
      actions: ['s3:GetObject'],
      resources: [PREFIXES.answers, PREFIXES.runs].map((prefix) => bucket.arnForObjects(`${prefix}/*`)),
      wildcardReason: WILDCARD_REASONS.runData,
    });
    this.allow({ sid: 'CheckLinks', actions: ['secretsmanager:GetSecretValue'], resources: [key.secretArn] });
  }
}
