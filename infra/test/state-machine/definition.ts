import type { Template } from 'aws-cdk-lib/assertions';

/** The fields of a state that tests read. */
export interface State {
  readonly Type: string;
  readonly QueryLanguage?: string;
  readonly Resource?: string;
  readonly Arguments?: Record<string, unknown>;
  readonly Output?: unknown;
  readonly Next?: string;
  readonly End?: boolean;
  readonly TimeoutSeconds?: number;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
  readonly Choices?: readonly Record<string, unknown>[];
  readonly Default?: string;
  readonly ItemProcessor?: Machine & { readonly ProcessorConfig: unknown };
  readonly [field: string]: unknown;
}

/** One entry of Retry. */
export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds: number;
  readonly BackoffRate: number;
  readonly MaxAttempts: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: string;
}

/** One entry of Catch. */
export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly Next: string;
  readonly [field: string]: unknown;
}

/** A state machine, or the states of a map. */
export interface Machine {
  readonly StartAt: string;
  readonly States: Record<string, State>;
}

/** The beginning of the logical id of a state machine of the stack. */
export type MachineName = 'Batch' | 'Pipelines';

/** Returns the definition of a state machine of the stack, with references as `<LogicalId>`. */
export function definitionOf(template: Template, machine: MachineName = 'Batch'): Machine {
  const [, resource] =
    Object.entries(template.findResources('AWS::StepFunctions::StateMachine')).find(([id]) =>
      id.startsWith(`${machine}StateMachine`),
    ) ?? [];
  const { DefinitionString } = (resource as { Properties: { DefinitionString: { 'Fn::Join': [string, unknown[]] } } })
    .Properties;
  const text = DefinitionString['Fn::Join'][1].map((part) => (typeof part === 'string' ? part : asText(part))).join('');
  return JSON.parse(text) as Machine;
}

/** Returns all states by name, including those of the children. */
export function allStates(machine: Machine): Record<string, State> {
  const children = Object.values(machine.States).flatMap((state) =>
    state.ItemProcessor ? [allStates(state.ItemProcessor)] : [],
  );
  return Object.assign({}, machine.States, ...children) as Record<string, State>;
}

/** Returns the Distributed Maps of a state machine by name. */
export function mapsOf(machine: Machine): Record<string, State> {
  return Object.fromEntries(Object.entries(machine.States).filter(([, { Type }]) => Type === 'Map'));
}

function asText(part: unknown): string {
  const { Ref, 'Fn::GetAtt': attribute } = part as { Ref?: string; 'Fn::GetAtt'?: string[] };
  const id = Ref ?? attribute?.[0];
  // The id of a version has the hash of the function's code and settings in it.
  const version = /^(\w+)CurrentVersion[0-9A-F]{8}[0-9a-f]{32}$/.exec(id ?? '')?.[1];
  return version === undefined ? `<${id?.replace(/[0-9A-F]{8}$/, '') ?? '?'}>` : `<${version}:version>`;
}
