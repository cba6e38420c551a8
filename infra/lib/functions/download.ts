import { Duration } from 'aws-cdk-lib';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../contract/environment';
import { PREFIXES } from '../contract/storage-prefixes';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** What it takes to make links that the download function takes. */
export interface DownloadLinks {
  /** Where they lead. */
  readonly url: string;
  /** What signs them. */
  readonly key: ISecret;
}

/** Props of `DownloadFunction`. */
export interface DownloadFunctionProps extends SharedFunctionProps {
  readonly key: ISecret;
}

/**
 * Checks the signed token of a link and redirects to its one object, presigned for the moment.
 *
 * A URL presigned by a function dies with the function's session, within hours; links in emails are to live for weeks.
 * Its own URL asks for no AWS credentials, because who reads an email has none: the token is what it asks for. It reads
 * answers and lists of links, so no token, however made, leads to anything else.
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
