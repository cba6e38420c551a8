import { Duration, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { modelLookupPermissions } from '../bedrock/model-lookup';
import { ENVIRONMENT } from '../contract/environment';
import { PREFIXES } from '../contract/storage-prefixes';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { bedrockEndpoints } from './bedrock-endpoints';
import { inputSettings, inputPermissions } from './inputs';
import { OrchestratorFunction, type SharedFunctionProps } from './orchestrator-function';

/** Checks a whole pipeline before it costs anything, names its runs and writes the input of each. */
export class ValidateFunction extends OrchestratorFunction {
  constructor(scope: Construct, id: string, props: SharedFunctionProps) {
    const { settings, bucket } = props;
    super(scope, id, {
      ...props,
      name: 'validate',
      memoryMb: 512,
      timeout: Duration.minutes(15),
      environment: {
        ...inputSettings(settings),
        ...bedrockEndpoints(settings),
        [ENVIRONMENT.downloadLinks]: String(settings.downloadLinks),
      },
    });

    for (const permission of inputPermissions(Stack.of(this), bucket, settings)) this.allow(permission);
    for (const permission of modelLookupPermissions(Stack.of(this))) this.allow(permission);
    this.allow({
      sid: 'WritePipelineAndInputsOfStages',
      actions: ['s3:PutObject'],
      resources: [bucket.arnForObjects(`${PREFIXES.runs}/*`)],
      wildcardReason: WILDCARD_REASONS.runData,
    });
  }
}
