import type { Function as HandlerFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { FunctionEvents } from '../events/function-events';

/** Props of `JobEvents`. */
export interface JobEventsProps {
  /** The source that the events carry. */
  readonly source: string;
  /** Settles the job of each event. */
  readonly handler: HandlerFunction;
}

/** Bedrock's job events, on their way to the function that settles the job. */
export class JobEvents extends FunctionEvents {
  constructor(scope: Construct, id: string, props: JobEventsProps) {
    super(scope, id, {
      description: 'Batch inference jobs of Amazon Bedrock that changed their status',
      pattern: { source: [props.source], detailType: ['Batch Inference Job State Change'] },
      handler: props.handler,
    });
  }
}
