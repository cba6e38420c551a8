import type { Template } from 'aws-cdk-lib/assertions';

/** A statement of a policy, with its resources as text: references are `<Ref>` and `<LogicalId.Attribute>`. */
export interface Statement {
  readonly sid?: string;
  readonly effect?: 'Deny';
  readonly actions: string[];
  readonly resources: string[];
  readonly conditions?: unknown;
}

/** Returns the statements of the role whose logical id begins with `rolePrefix`. */
export function statementsOf(template: Template, rolePrefix: string): Statement[] {
  return Object.values(template.findResources('AWS::IAM::Policy'))
    .map(({ Properties }) => Properties as PolicyProperties)
    .filter(({ Roles }) => Roles.some(({ Ref }) => Ref.startsWith(rolePrefix)))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement)
    .map(({ Sid, Effect, Action, Resource, Condition }) => ({
      ...(Sid !== undefined && { sid: Sid }),
      ...(Effect === 'Deny' && { effect: 'Deny' as const }),
      actions: list(Action),
      resources: list(Resource).map(asText),
      ...(Condition !== undefined && { conditions: Condition }),
    }));
}

/** Returns the resources on which the role may perform an action. */
export function reach(template: Template, role: string, action: string): string[] {
  return statementsOf(template, role)
    .filter(({ actions, effect }) => actions.includes(action) && effect !== 'Deny')
    .flatMap(({ resources }) => resources)
    .sort();
}

/** Returns all actions that the role may perform. */
export function actionsOf(template: Template, rolePrefix: string): string[] {
  return [...new Set(statementsOf(template, rolePrefix).flatMap(({ actions }) => actions))].sort();
}

interface PolicyProperties {
  readonly Roles: { Ref: string }[];
  readonly PolicyDocument: {
    readonly Statement: {
      Sid?: string;
      Effect: string;
      Action: string | string[];
      Resource: unknown;
      Condition?: unknown;
    }[];
  };
}

function list<Item>(value: Item | Item[]): Item[] {
  return Array.isArray(value) ? value : [value];
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  const reference = value as { Ref?: string; 'Fn::GetAtt'?: string[]; 'Fn::Join'?: [string, unknown[]] };
  if (reference.Ref !== undefined) return `<${reference.Ref}>`;
  if (reference['Fn::GetAtt']) return `<${reference['Fn::GetAtt'].join('.').replace(/[0-9A-F]{8}\./, '.')}>`;
  if (reference['Fn::Join']) return reference['Fn::Join'][1].map(asText).join(reference['Fn::Join'][0]);
  return JSON.stringify(value);
}
