import { ENVIRONMENT } from '../contract/environment';
import type { Settings } from '../settings/keys';

/**
 * Returns the variables that point the AWS SDK's clients of Bedrock, and of its quotas, at the local Bedrock; none in a real
 * account.
 */
export function bedrockEndpoints(settings: Settings): Record<string, string> {
  const url = settings.bedrockEndpointUrl;
  return url === undefined
    ? {}
    : {
        [ENVIRONMENT.bedrockEndpointUrl]: url,
        [ENVIRONMENT.bedrockRuntimeEndpointUrl]: url,
        [ENVIRONMENT.serviceQuotasEndpointUrl]: url,
      };
}
