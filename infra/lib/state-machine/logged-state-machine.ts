import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  DefinitionBody,
  type IChainable,
  LogLevel,
  StateMachine,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { encrypted } from '../permissions/encryption';
import { acknowledgeWildcards } from '../permissions/wildcard';
import type { Settings } from '../settings/keys';

/** Props of `loggedStateMachine`. */
export interface LoggedStateMachineProps {
  readonly settings: Pick<Settings, 'encryptionKeyArn'>;
  readonly name: string;
  /** Name of its log group, after `/aws/vendedlogs/states/`. */
  readonly logs: string;
  readonly states: IChainable;
}

/** Creates a Standard state machine with traces and error logs. CDK grants its role the permissions for both. */
export function loggedStateMachine(scope: Construct, props: LoggedStateMachineProps): StateMachine {
  const stateMachine = new StateMachine(scope, 'StateMachine', {
    stateMachineName: props.name,
    stateMachineType: StateMachineType.STANDARD,
    definitionBody: DefinitionBody.fromChainable(props.states),
    tracingEnabled: true,
    logs: {
      destination: new LogGroup(scope, 'Logs', {
        logGroupName: `/aws/vendedlogs/states/${props.logs}`,
        retention: RetentionDays.ONE_MONTH,
        removalPolicy: RemovalPolicy.DESTROY,
        ...encrypted(scope, props.settings),
      }),
      // Not ALL: the execution history already has every event, and inputs may hold data that must not be logged.
      level: LogLevel.ERROR,
      includeExecutionData: false,
    },
  });
  acknowledgeWildcards(scope, ['*'], 'IAM has no resource types for X-Ray and for the delivery of vended logs.');
  Validations.of(stateMachine).acknowledge({
    id: 'AwsSolutions-SF1',
    reason:
      'Errors are logged. The other events are in the execution history, and logging them for thousands of jobs would cost more than the transitions.',
  });
  return stateMachine;
}

/**
 * Lets a state machine invoke all versions of its functions. CDK grants the versions of this deployment alone, but executions
 * that began before it still invoke older ones.
 */
export function grantAllVersions(
  scope: Construct,
  stateMachine: StateMachine,
  functions: readonly LambdaFunction[],
): void {
  for (const { functionArn } of functions) {
    stateMachine.addToRolePolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [functionArn, `${functionArn}:*`] }),
    );
  }
  acknowledgeWildcards(
    scope,
    functions.map(({ functionArn }) => `${functionArn}:*`),
    'Versions of the functions that the states invoke: executions that began before an update invoke older ones.',
  );
}
