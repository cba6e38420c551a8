import { PAYLOADS, RESULTS } from '../contract/payloads';

/** Event of a function. */
export type Payload = Record<string, string>;

/** Name of a payload of the contract. */
export type PayloadName = keyof typeof PAYLOADS;

/** Field of a payload, besides its action. */
type PayloadField<Name extends PayloadName> = (typeof PAYLOADS)[Name]['fields'][number];

/** Field of a function's result that a state reads. */
export type ResultField<Name extends keyof typeof RESULTS> = (typeof RESULTS)[Name][number];

/** Returns the payload of a function: its action, if the function has several, and exactly the fields of the contract. */
export function payload<Name extends PayloadName>(name: Name, fields: Record<PayloadField<Name>, string>): Payload {
  const { action } = PAYLOADS[name];
  return { ...(action !== undefined && { action }), ...fields };
}

/** Returns expressions for fields that are passed on from the state's input under the same names. */
export function fromInput<Field extends string>(...fields: Field[]): Record<Field, string> {
  const entries = fields.map((field) => [field, `{% $states.input.${field} %}`]);
  return Object.fromEntries(entries) as Record<Field, string>;
}

/** Returns the JSONPath of a field of a function's result, where the result is the input of the state. */
export function resultPath<Name extends keyof typeof RESULTS>(_: Name, field: ResultField<Name>): string {
  return `$.${field}`;
}

/** Expressions for the execution that is running. */
export const THIS_EXECUTION = {
  execution_name: '{% $states.context.Execution.Name %}',
  execution_arn: '{% $states.context.Execution.Id %}',
  started_at: '{% $states.context.Execution.StartTime %}',
} as const;
