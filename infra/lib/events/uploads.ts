import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { PREFIXES } from '../contract/storage-prefixes';
import { FunctionEvents } from './function-events';

/** Props of `Uploads`. */
export interface UploadsProps {
  readonly bucket: IBucket;
  /** Starts what each upload asks for. */
  readonly handler: HandlerFunction;
}

/**
 * Uploads that start something, on their way to the function that starts it.
 *
 * The function's own error files are among them, and are its to pass over: a pattern can ask for how a key begins or for
 * how it does not end, not for both.
 */
export class Uploads extends FunctionEvents {
  constructor(scope: Construct, id: string, props: UploadsProps) {
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
