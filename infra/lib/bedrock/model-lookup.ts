import type { Stack } from 'aws-cdk-lib';
import type { Permission } from '../permissions/permission';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { bedrockResources } from './resources';

/**
 * Returns the permissions to see whether the models of a request are offered, and which inference profiles exist. A run does
 * not need them: without them, the table of models decides, and the run has a warning.
 */
export function modelLookupPermissions(stack: Stack): Permission[] {
  return [
    {
      sid: 'SeeModels',
      actions: ['bedrock:GetFoundationModel'],
      resources: [bedrockResources(stack).foundationModels],
      wildcardReason: WILDCARD_REASONS.models,
    },
    {
      sid: 'SeeInferenceProfiles',
      actions: ['bedrock:ListInferenceProfiles'],
      resources: ['*'],
      wildcardReason: WILDCARD_REASONS.profileListing,
    },
  ];
}
