import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { FunctionEvents } from '../events/function-events';
import type { Settings } from '../settings/keys';

/** Props of `JobEvents`. */
export interface JobEventsProps {
  readonly settings: Pick<Settings, 'encryptionKeyArn'>;
  /** Source of the events. */
  readonly source: string;
  /** Function that settles the job of an event. */
  readonly handler: HandlerFunction;
}

/** Delivers Bedrock's job events to the function that settles the job. */
export class JobEvents extends FunctionEvents {
  constructor(scope: Construct, id: string, props: JobEventsProps) {
    super(scope, id, {
      settings: props.settings,
      description: 'Status changes of batch inference jobs of Amazon Bedrock',
      pattern: { source: [props.source], detailType: ['Batch Inference Job State Change'] },
      handler: props.handler,
    });
  }
}
