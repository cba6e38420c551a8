import jsonata from 'jsonata';

/**
 * Evaluates a field that contains expressions, with JSONata’s reference engine and the only function of Step Functions that
 * the definitions use.
 */
export async function evaluate(template: unknown, states_: Record<string, unknown>): Promise<unknown> {
  if (typeof template === 'string') {
    const [, source] = /^\{% (.*) %\}$/s.exec(template) ?? [];
    if (source === undefined) return template;
    const expression = jsonata(source);
    expression.registerFunction('parse', (text: string) => JSON.parse(text) as unknown, '<s:x>');
    return (await expression.evaluate(undefined, { states: states_ })) as unknown;
  }
  const entries = Object.entries(template as Record<string, unknown>).map(
    async ([key, value]) => [key, await evaluate(value, states_)] as const,
  );
  return Object.fromEntries(await Promise.all(entries));
}
