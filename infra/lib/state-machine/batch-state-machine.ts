import { ArnFormat, Fn, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { PREFIXES } from '../contract/storage-prefixes';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { acknowledgeWildcards } from '../permissions/wildcard';
import { BATCH_STATE_MACHINE_NAME } from './identity';
import { MAP_LABELS } from './passes';
import { run } from './run';

/** Props of `BatchStateMachine`. */
export interface BatchStateMachineProps {
  readonly bucket: IBucket;
  /** The timeout given to each Bedrock job. */
  readonly jobTimeoutHours: number;
  /** The functions behind the steps. */
  readonly functions: {
    readonly preprocess: IFunction;
    readonly submit: IFunction;
    readonly postprocess: IFunction;
    readonly invoke: IFunction;
    readonly finalize: IFunction;
  };
}

/**
 * The batch orchestrator. An execution is a run, or takes up one that another execution left unfinished.
 *
 * `run` has the states. A run that fails ends in FailRun, with an error and a cause that say why.
 */
export class BatchStateMachine extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, props: BatchStateMachineProps) {
    super(scope, id);
    const { functions } = props;

    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName: BATCH_STATE_MACHINE_NAME,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromChainable(run(this, { ...props, ...functions })),
      tracingEnabled: true,
      logs: {
        destination: new LogGroup(this, 'Logs', {
          logGroupName: '/aws/vendedlogs/states/bedrock-batch-orchestrator',
          retention: RetentionDays.ONE_MONTH,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        // Not ALL: the execution history already has every event, and the inputs may hold what nobody should log.
        level: LogLevel.ERROR,
        includeExecutionData: false,
      },
    });
    const manifests = props.bucket.arnForObjects(`${PREFIXES.runs}/*`);
    this.stateMachine.addToRolePolicy(
      new PolicyStatement({ sid: 'ReadManifests', actions: ['s3:GetObject'], resources: [manifests] }),
    );

    // The rest of the role's policy is CDK's own.
    acknowledgeWildcards(this, [manifests], WILDCARD_REASONS.runData);
    acknowledgeWildcards(
      this,
      Object.values(functions).map(({ functionArn }) => `${functionArn}:*`),
      'Versions and aliases of the functions that the steps invoke, which CDK grants with the function.',
    );
    acknowledgeWildcards(this, ['*'], 'IAM knows no resources for X-Ray and for the delivery of vended logs.');
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
      'A Distributed Map starts, watches and stops its children, whose names Step Functions makes up.',
    );
    Validations.of(this.stateMachine).acknowledge({
      id: 'AwsSolutions-SF1',
      reason:
        'Errors are logged. The other events are in the execution history, and logging them for thousands of jobs would cost more than the transitions.',
    });
  }
}
