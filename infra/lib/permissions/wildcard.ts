import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Why a policy may name a resource with a wildcard in it: each such resource needs a reason, or cdk-nag's test fails. */
export function acknowledgeWildcards(scope: IConstruct, resources: readonly string[], reason: string): void {
  for (const resource of resources) {
    const written = asWritten(Stack.of(scope).resolve(resource));
    if (written.includes('*')) {
      Validations.of(scope).acknowledge({ id: `AwsSolutions-IAM5[Resource::${written}]`, reason });
    }
  }
}

/** A resource of the template as cdk-nag spells it: `Ref` and `GetAtt` in angle brackets, other functions as JSON. */
function asWritten(value: unknown): string {
  if (typeof value === 'string') return value;
  const reference = value as { Ref?: string; 'Fn::GetAtt'?: [string, string]; 'Fn::Join'?: [string, unknown[]] };
  if (reference['Fn::Join']) return reference['Fn::Join'][1].map(asWritten).join(reference['Fn::Join'][0]);
  if (reference['Fn::GetAtt']) return `<${reference['Fn::GetAtt'].join('.')}>`;
  if (reference.Ref) return `<${reference.Ref}>`;
  return JSON.stringify(value);
}
