import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { PREFIXES } from '../contract/storage-prefixes';
import { FunctionEvents } from './function-events';

/** Props of `UploadEvents`. */
export interface UploadEventsProps {
  readonly bucket: IBucket;
  /** Function that starts an execution for an upload. */
  readonly handler: HandlerFunction;
}

/**
 * Delivers uploads under `trigger/` to the function that starts executions for them.
 *
 * The function's own error files are among them, and the function ignores them: a pattern can match the beginning of a
 * key or exclude an ending, but not both.
 */
export class UploadEvents extends FunctionEvents {
  constructor(scope: Construct, id: string, props: UploadEventsProps) {
    super(scope, id, {
      description: `Uploads under ${PREFIXES.trigger}/`,
      pattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: {
          bucket: { name: [props.bucket.bucketName] },
          object: { key: [{ prefix: `${PREFIXES.trigger}/` }] },
        },
      },
      handler: props.handler,
    });
  }
}
