import type { Node } from 'constructs';
import { nearestName } from './nearest-name';
import { SETTING_KEYS, type Settings } from './keys';
import { RuleViolation, type SettingKey } from './rules';

/** Thrown if the context is invalid. The message has one line per problem. */
export class SettingsError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `the CDK context has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    );
    this.name = 'SettingsError';
  }
}

/**
 * Reads and checks every setting from the CDK context (infra/cdk.json, overridden by `-c key=value`).
 *
 * Throws one `SettingsError` with all problems, so that a user can fix them at once.
 */
export function readSettings(node: Node): Settings {
  const problems = unknownKeys(node);
  const values: Record<string, unknown> = {};
  for (const [name, key] of Object.entries<SettingKey<unknown>>(SETTING_KEYS)) {
    const raw: unknown = node.tryGetContext(name) ?? key.default;
    try {
      values[name] = key.rule.parse(raw);
    } catch (error) {
      if (!(error instanceof RuleViolation)) throw error;
      problems.push(
        `\`${name}\` is ${JSON.stringify(raw)}, but must be ${key.rule.allowed}. Change it in infra/cdk.json or with \`-c ${name}=…\` (the default is ${describeDefault(key.default)})`,
      );
    }
  }
  problems.push(...tokenWithoutTls(values), ...prefixesOfOtherBuckets(values), ...halfOfAVpc(values));
  if (problems.length > 0) throw new SettingsError(problems);
  return values as Settings;
}

/** Reports a token for an endpoint without TLS: the functions would refuse to send it, but only once a run starts. */
function tokenWithoutTls({ huggingFaceEndpoint, huggingFaceTokenSecret }: Partial<Settings>): string[] {
  if (huggingFaceEndpoint === undefined || huggingFaceTokenSecret === undefined) return [];
  // Like the functions: https, or a server on the same machine.
  if (/^(https:|http:\/\/(localhost|127(\.\d+){3}|\[::1\])([:/]|$))/i.test(huggingFaceEndpoint)) return [];
  return [
    `\`huggingFaceEndpoint\` is ${JSON.stringify(huggingFaceEndpoint)}, but must be an https URL with \`huggingFaceTokenSecret\`: the token is not sent without TLS. Use https, or leave out huggingFaceTokenSecret`,
  ];
}

/** Reports prefixes in buckets that the functions may not read. */
function prefixesOfOtherBuckets({ inputPrefixes = [], inputBuckets = [] }: Partial<Settings>): string[] {
  return inputPrefixes
    .filter((prefix) => prefix.startsWith('s3://') && !inputBuckets.includes(prefix.split('/')[2] ?? ''))
    .map(
      (prefix) =>
        `\`inputPrefixes\` has ${JSON.stringify(prefix)}, but must have prefixes of the buckets in \`inputBuckets\` or, without \`s3://\` and bucket, of the bucket of the stack. Add the bucket to inputBuckets`,
    );
}

/** Reports subnets without security groups, and security groups without subnets: Bedrock takes both or none. */
function halfOfAVpc({ jobSubnetIds = [], jobSecurityGroupIds = [] }: Partial<Settings>): string[] {
  if ((jobSubnetIds.length === 0) === (jobSecurityGroupIds.length === 0)) return [];
  const [given, missing] =
    jobSubnetIds.length > 0 ? ['jobSubnetIds', 'jobSecurityGroupIds'] : ['jobSecurityGroupIds', 'jobSubnetIds'];
  return [`\`${missing}\` is [], but must name what \`${given}\` needs: set both, or none`];
}

/** Returns a default in the notation that users see. */
export function describeDefault(value: unknown): string {
  return value === undefined ? 'not set' : JSON.stringify(value);
}

/** Context keys of the CDK itself, besides those that have a `:` or a `/` in them, as no key of this app has. */
const KEYS_OF_CDK = ['acknowledged-issue-numbers', 'cdk-migrate', 'cli-telemetry'];

/** Reports unknown context keys: CDK ignores them, so a setting with a typo would go unnoticed. */
function unknownKeys(node: Node): string[] {
  const ours = Object.keys(SETTING_KEYS);
  const context = node.getAllContext() as Record<string, unknown>;
  return Object.keys(context)
    .filter((key) => !ours.includes(key) && !KEYS_OF_CDK.includes(key) && !/[:/]/.test(key))
    .map((key) => {
      const nearest = nearestName(key, ours);
      const remedy =
        nearest === undefined ? 'Leave it out; infra/README.md lists all keys' : `Did you mean \`${nearest}\`?`;
      return `\`${key}\` (${JSON.stringify(context[key])}) is not a context key. ${remedy}`;
    });
}
