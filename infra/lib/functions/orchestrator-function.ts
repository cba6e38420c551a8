import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { ENVIRONMENT } from '../contract/environment';
import { encrypted, useOfEncryptionKey } from '../permissions/encryption';
import { type Permission, permit } from '../permissions/permission';
import { acknowledgeWildcards } from '../permissions/wildcard';
import type { Settings } from '../settings/keys';
import { functionNameOf, metricsNamespace } from '../settings/names';
import { builtFunction, type FunctionName } from './code';

/** Props that all functions of the stack share. */
export interface SharedFunctionProps {
  readonly bucket: Bucket;
  readonly table: Table;
  readonly settings: Settings;
}

/** Props of `OrchestratorFunction`. */
export interface OrchestratorFunctionProps extends SharedFunctionProps {
  /** Name of the function, and of its built directory. */
  readonly name: FunctionName;
  readonly memoryMb: number;
  readonly timeout: Duration;
  /** Maximum number of concurrent invocations, which the account keeps for the function. @default - no maximum */
  readonly reservedConcurrency?: number | undefined;
  /** Environment variables besides those that all functions have. */
  readonly environment?: Record<string, string>;
}

/**
 * A Rust function with its log group and a role that may, so far, only write to that log group.
 *
 * Each function grants its own permissions, beside the code that needs them.
 */
export class OrchestratorFunction extends Construct {
  readonly function: LambdaFunction;
  readonly logGroup: LogGroup;
  private readonly role: Role;

  constructor(scope: Construct, id: string, props: OrchestratorFunctionProps) {
    super(scope, id);
    // A predictable name: people find the logs by it, and the roles of Step Functions show it.
    const functionName = functionNameOf(props.settings, props.name);

    // Logs expire and hold no data, so they are deleted with the stack instead of blocking its next deployment.
    this.logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
      ...encrypted(this, props.settings),
    });
    this.role = new Role(this, 'Role', {
      description: `Role of the function ${functionName}`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    });
    this.logGroup.grantWrite(this.role);
    // Every function reads or writes the bucket, the job table, a queue, the topic or the link key.
    for (const permission of useOfEncryptionKey(props.settings)) this.allow(permission);

    this.function = new LambdaFunction(this, 'Function', {
      functionName,
      runtime: Runtime.PROVIDED_AL2023,
      architecture: props.settings.lambdaArchitecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      handler: 'bootstrap',
      code: builtFunction(props.settings.lambdaDirectory, props.name),
      memorySize: props.memoryMb,
      timeout: props.timeout,
      ...(props.reservedConcurrency !== undefined && { reservedConcurrentExecutions: props.reservedConcurrency }),
      // A version per deployment, for the state machines. Executions call those of the deployment that they began with, so
      // versions stay: all but those of a deployment that failed.
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE },
      role: this.role,
      logGroup: this.logGroup,
      loggingFormat: LoggingFormat.JSON,
      // Beside the traces of the state machines: the invocations of an execution are part of its trace.
      tracing: Tracing.ACTIVE,
      environment: {
        [ENVIRONMENT.bucketName]: props.bucket.bucketName,
        [ENVIRONMENT.taskTableName]: props.table.tableName,
        [ENVIRONMENT.logFilter]: 'info',
        ...(props.settings.metrics && {
          [ENVIRONMENT.metricsNamespace]: metricsNamespace(props.settings),
        }),
        ...props.environment,
      },
    });
    acknowledgeWildcards(
      this.role,
      ['*'],
      'IAM has no resource types for X-Ray, to which CDK lets each function write.',
    );
  }

  /** Grants the function a permission. */
  protected allow(permission: Permission): void {
    permit(this.role, permission);
  }
}
