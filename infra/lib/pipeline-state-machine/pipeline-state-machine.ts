import { ArnFormat, Fn, Stack } from 'aws-cdk-lib';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IStateMachine, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../permissions/wildcard';
import type { Settings } from '../settings/keys';
import { type NameSettings, pipelineStateMachineName, resourceName } from '../settings/names';
import { grantAllVersions, loggedStateMachine } from '../state-machine/logged-state-machine';
import { pipeline } from './pipeline';

/** Props of `PipelineStateMachine`. */
export interface PipelineStateMachineProps {
  readonly settings: NameSettings & Pick<Settings, 'encryptionKeyArn'>;
  /** Batch orchestrator, which runs the stages. */
  readonly batch: IStateMachine;
  /** Functions that the states invoke. */
  readonly functions: {
    readonly validate: LambdaFunction;
    readonly notify: LambdaFunction;
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
    const { batch, functions, settings } = props;

    this.stateMachine = loggedStateMachine(this, {
      settings,
      name: pipelineStateMachineName(settings),
      logs: resourceName(settings, 'bedrock-pipeline-orchestrator'),
      states: pipeline(this, { batch, ...functions }),
    });

    // CDK writes the role's policy, including the permissions to start, watch and stop the runs.
    grantAllVersions(this, this.stateMachine, Object.values(functions));
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
