import { ArnFormat, Fn, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { PREFIXES } from '../contract/storage-prefixes';
import { useOfEncryptionKey } from '../permissions/encryption';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { acknowledgeWildcards } from '../permissions/wildcard';
import type { Settings } from '../settings/keys';
import { batchStateMachineName, type NameSettings, resourceName } from '../settings/names';
import { grantAllVersions, loggedStateMachine } from './logged-state-machine';
import { MAP_LABELS } from './passes';
import { run } from './run';

/** Props of `BatchStateMachine`. */
export interface BatchStateMachineProps {
  readonly settings: NameSettings & Pick<Settings, 'encryptionKeyArn'>;
  /** Bucket of the manifests. */
  readonly bucket: IBucket;
  /** Timeout of each Bedrock job. */
  readonly jobTimeoutHours: number;
  /** Functions that the states invoke. */
  readonly functions: {
    readonly preprocess: LambdaFunction;
    readonly submit: LambdaFunction;
    readonly postprocess: LambdaFunction;
    readonly invoke: LambdaFunction;
    readonly finalize: LambdaFunction;
  };
}

/**
 * The batch orchestrator. An execution is a run, or continues one that another execution left unfinished.
 *
 * `run` defines the states. A run that fails ends in FailRun, with the error and the cause of its failure.
 */
export class BatchStateMachine extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, props: BatchStateMachineProps) {
    super(scope, id);
    const { functions, settings } = props;

    this.stateMachine = loggedStateMachine(this, {
      settings,
      name: batchStateMachineName(settings),
      logs: resourceName(settings, 'bedrock-batch-orchestrator'),
      states: run(this, { ...props, ...functions }),
    });
    const manifests = props.bucket.arnForObjects(`${PREFIXES.runs}/*`);
    this.stateMachine.addToRolePolicy(
      new PolicyStatement({ sid: 'ReadManifests', actions: ['s3:GetObject'], resources: [manifests] }),
    );

    for (const { sid, actions, resources } of useOfEncryptionKey(settings)) {
      this.stateMachine.addToRolePolicy(new PolicyStatement({ sid, actions, resources }));
    }

    // The remainder of the role's policy is written by CDK.
    acknowledgeWildcards(this, [manifests], WILDCARD_REASONS.runData);
    grantAllVersions(this, this.stateMachine, Object.values(functions));
    const name = Fn.select(6, Fn.split(':', this.stateMachine.stateMachineArn));
    const executions = Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: name,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    acknowledgeWildcards(
      this,
      [`${executions}:*`, ...Object.values(MAP_LABELS).map((label) => `${executions}/${label}:*`)],
      'A Distributed Map starts, watches and stops its children, whose names Step Functions chooses.',
    );
  }
}
