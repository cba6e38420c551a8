import type { Permission } from './permission';

/**
 * Lets a role subscribe the account to the models that it sends requests to. Bedrock calls AWS Marketplace for it, and the
 * condition allows no other call (Bedrock user guide, "Access Amazon Bedrock foundation models").
 */
export const SUBSCRIBE_TO_MODELS: Permission = {
  sid: 'SubscribeToModels',
  actions: ['aws-marketplace:Subscribe', 'aws-marketplace:Unsubscribe', 'aws-marketplace:ViewSubscriptions'],
  resources: ['*'],
  conditions: { StringEquals: { 'aws:CalledViaLast': 'bedrock.amazonaws.com' } },
  wildcardReason:
    'AWS Marketplace has no resource type for these actions; the condition leaves calls of Bedrock alone.',
};
