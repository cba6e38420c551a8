import { Duration } from 'aws-cdk-lib';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../contract/environment';
import { PREFIXES } from '../contract/storage-prefixes';
import { readExecutions } from '../permissions/executions';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { type DownloadLinks, linkedObjects } from './download';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Props of `NotifyFunction`. */
export interface NotifyFunctionProps extends SharedFunctionProps {
  /** Topic of the emails. */
  readonly topic: ITopic;
  /** URL and key of the links. @default - links are presigned, with the function's own role */
  readonly links?: DownloadLinks;
}

/** Summarizes a pipeline or a run that ended, and sends the summary by email. */
export class NotifyFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: NotifyFunctionProps) {
    const { bucket, topic, links } = props;
    super(scope, id, {
      ...props,
      name: 'notify',
      memoryMb: 512,
      timeout: Duration.minutes(5),
      environment: {
        [ENVIRONMENT.topicArn]: topic.topicArn,
        ...(links && {
          [ENVIRONMENT.downloadUrl]: links.url,
          [ENVIRONMENT.linkKeySecretArn]: links.key.secretArn,
        }),
      },
    });

    // Not narrowed to prefixes: without the right to list the bucket, S3 reports a missing key as a forbidden one.
    this.allow({ sid: 'ListBucket', actions: ['s3:ListBucket'], resources: [bucket.bucketArn] });
    this.allow({
      sid: 'ReadSummaries',
      actions: ['s3:GetObject'],
      resources: ['summary.json', 'pipeline.json'].map((file) => bucket.arnForObjects(`${PREFIXES.runs}/*/${file}`)),
      wildcardReason: WILDCARD_REASONS.runData,
    });
    if (!links) {
      this.allow({
        // A presigned link has the rights of the role that signed it.
        sid: 'PresignLinks',
        actions: ['s3:GetObject'],
        resources: linkedObjects(bucket),
        wildcardReason: WILDCARD_REASONS.runData,
      });
    }
    this.allow({
      sid: 'WriteSummaryAndLinks',
      actions: ['s3:PutObject'],
      resources: ['summary.json', 'links.txt'].map((file) => bucket.arnForObjects(`${PREFIXES.runs}/*/${file}`)),
      wildcardReason: WILDCARD_REASONS.runData,
    });
    this.allow({ sid: 'SendEmails', actions: ['sns:Publish'], resources: [topic.topicArn] });
    // To read the error and the cause of a run, and its start and end.
    this.allow(readExecutions(this, props.settings));
    if (links) {
      this.allow({
        sid: 'SignLinks',
        actions: ['secretsmanager:GetSecretValue'],
        resources: [links.key.secretArn],
      });
    }
  }
}
