import { ArnFormat, Fn, Stack } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IStateMachine, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../permissions/wildcard';
import { PIPELINE_STATE_MACHINE_NAME } from '../state-machine/identity';
import { acknowledgeInvocations, loggedStateMachine } from '../state-machine/logged-state-machine';
import { pipeline } from './pipeline';

/** Props of `PipelineStateMachine`. */
export interface PipelineStateMachineProps {
  /** Batch orchestrator, which runs the stages. */
  readonly batch: IStateMachine;
  /** Functions that the states invoke. */
  readonly functions: {
    readonly validate: IFunction;
    readonly notify: IFunction;
  };
}

/**
 * The pipeline orchestrator. An execution is a pipeline: runs of the batch orchestrator, one after the other, each over
 * the answered rows of the one before.
 *
 * `pipeline` defines the states. A pipeline that fails ends in PipelineFailed, with the error and the cause of its
 * failure.
 */
export class PipelineStateMachine extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, props: PipelineStateMachineProps) {
    super(scope, id);
    const { batch, functions } = props;

    this.stateMachine = loggedStateMachine(this, {
      name: PIPELINE_STATE_MACHINE_NAME,
      logs: 'bedrock-pipeline-orchestrator',
      states: pipeline(this, { batch, ...functions }),
    });

    // CDK writes the role's policy, including the permissions to start, watch and stop the runs.
    acknowledgeInvocations(
      this,
      Object.values(functions).map(({ functionArn }) => functionArn),
    );
    const name = Fn.select(6, Fn.split(':', batch.stateMachineArn));
    const runs = Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${name}*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    acknowledgeWildcards(this, [runs], 'Each pipeline has its own runs, which are named when it starts.');
  }
}
