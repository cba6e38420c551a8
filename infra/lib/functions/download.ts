import { Duration } from 'aws-cdk-lib';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
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

/** Returns the ARNs of the objects that links may lead to. */
export function linkedObjects(bucket: IBucket): string[] {
  const { answers, runs } = PREFIXES;
  return [`${answers}/*`, `${runs}/*/summary.json`, `${runs}/*/links.txt`].map((keys) => bucket.arnForObjects(keys));
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
 * role reads nothing but answers, summaries and lists of links, so no token gives access to anything else.
 */
export class DownloadFunction extends OrchestratorFunction {
  readonly links: DownloadLinks;

  constructor(scope: Construct, id: string, props: DownloadFunctionProps) {
    const { bucket, key, settings } = props;
    super(scope, id, {
      ...props,
      name: 'download',
      memoryMb: 256,
      timeout: Duration.seconds(30),
      // Everyone can send requests to the URL. Beyond this they get status 429, and no other function notices.
      reservedConcurrency: settings.downloadReservedConcurrency,
      environment: { [ENVIRONMENT.linkKeySecretArn]: key.secretArn },
    });
    const { url } = this.function.addFunctionUrl({ authType: FunctionUrlAuthType.NONE });
    this.links = { url, key };

    this.allow({
      sid: 'ReadAnswersAndLinks',
      actions: ['s3:GetObject'],
      resources: linkedObjects(bucket),
      wildcardReason: WILDCARD_REASONS.runData,
    });
    this.allow({ sid: 'CheckLinks', actions: ['secretsmanager:GetSecretValue'], resources: [key.secretArn] });
  }
}
