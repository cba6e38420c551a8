import { ArnFormat, Aws, type Stack } from 'aws-cdk-lib';

/** ARNs of Bedrock resources, as IAM policies name them. */
export interface BedrockResources {
  /** Foundation models in every region: a cross-region inference profile calls the model in each of its regions. */
  readonly foundationModels: string;
  /** Inference profiles of AWS and of the account, under the ARNs that this account sees. */
  readonly inferenceProfiles: readonly string[];
  /** Batch jobs of this account in this region. */
  readonly invocationJobs: string;
}

/** Returns the Bedrock resources that `stack` works with. */
export function bedrockResources(stack: Stack): BedrockResources {
  const arn = (resource: string, region: string, account: string): string =>
    stack.formatArn({
      service: 'bedrock',
      region,
      account,
      resource,
      resourceName: '*',
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  return {
    foundationModels: arn('foundation-model', '*', ''),
    inferenceProfiles: [
      arn('inference-profile', '*', Aws.ACCOUNT_ID),
      arn('application-inference-profile', '*', Aws.ACCOUNT_ID),
    ],
    invocationJobs: arn('model-invocation-job', Aws.REGION, Aws.ACCOUNT_ID),
  };
}
