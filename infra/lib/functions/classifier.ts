import { Duration, Stack } from 'aws-cdk-lib';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { modelLookupPermissions } from '../bedrock/model-lookup';
import { ENVIRONMENT } from '../contract/environment';
import { bedrockEndpoints } from './bedrock-endpoints';
import { bucketPermissions, inputSettings } from './inputs';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Props of `ClassifierFunction`. */
export interface ClassifierFunctionProps extends SharedFunctionProps {
  /** Batch orchestrator. */
  readonly batch: IStateMachine;
}

/** Checks the payload of a user who wants medical device reports classified, and starts a run for it. */
export class ClassifierFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: ClassifierFunctionProps) {
    const { bucket, settings, batch } = props;
    super(scope, id, {
      ...props,
      name: 'classifier',
      memoryMb: 256,
      timeout: Duration.minutes(1),
      environment: {
        ...inputSettings(settings),
        ...bedrockEndpoints(settings),
        [ENVIRONMENT.batchStateMachineArn]: batch.stateMachineArn,
        [ENVIRONMENT.defaultModelId]: settings.defaultModelId,
        [ENVIRONMENT.defaultBatchSize]: String(settings.defaultBatchSize),
        [ENVIRONMENT.defaultMaxWorkers]: String(settings.defaultMaxWorkers),
        [ENVIRONMENT.defaultRateLimit]: String(settings.defaultRateLimit),
      },
    });

    // Only to see whether the reports and the codes exist: the run reads them.
    for (const permission of bucketPermissions(Stack.of(this), bucket, settings)) this.allow(permission);
    for (const permission of modelLookupPermissions(Stack.of(this))) this.allow(permission);
    this.allow({ sid: 'StartRuns', actions: ['states:StartExecution'], resources: [batch.stateMachineArn] });
  }
}
