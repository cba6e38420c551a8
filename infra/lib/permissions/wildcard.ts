import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Acknowledges the resources that have a wildcard. Without a reason for each of them, the test of cdk-nag fails. */
export function acknowledgeWildcards(scope: IConstruct, resources: readonly string[], reason: string): void {
  for (const resource of resources) {
    const resourceName = nagNotation(Stack.of(scope).resolve(resource));
    if (resourceName.includes('*')) {
      Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${resourceName}]`, reason });
    }
  }
}

/** Returns a resource in the notation of cdk-nag: `Ref` and `GetAtt` in angle brackets, other functions as JSON. */
function nagNotation(value: unknown): string {
  if (typeof value === 'string') return value;
  const reference = value as { Ref?: string; 'Fn::GetAtt'?: [string, string]; 'Fn::Join'?: [string, unknown[]] };
  if (reference['Fn::Join']) return reference['Fn::Join'][1].map(nagNotation).join(reference['Fn::Join'][0]);
  if (reference['Fn::GetAtt']) return `<${reference['Fn::GetAtt'].join('.')}>`;
  if (reference.Ref) return `<${reference.Ref}>`;
  return JSON.stringify(value);
}
