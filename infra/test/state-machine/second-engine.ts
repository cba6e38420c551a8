import type { Catcher, Machine, State } from './definition';
import { evaluate } from './jsonata';

/*
 * Runs a state machine on aws-local-stepfunctions, which shares no code with the local stack. It decides every transition, Choice,
 * Map, Retry and Catch. What it does not know is transformed, and nothing else:
 *
 * - JSONata: a Task evaluates its Arguments and Output around its stub, with JSONata's reference engine. A Pass becomes a Task
 *   without a stub. The Output of a Catch and the texts of a Fail are evaluated by a Task in front of it.
 * - ItemReader: a Task in front of the map reads the items from the stubs. Children run in the same execution.
 * - waitForTaskToken: the stub returns what the task is answered with, or throws.
 *
 * A failed child fails its map with its own error, where a Distributed Map has States.ExceedToleratedFailureThreshold.
 */

/** What stands in for functions and manifests. */
export interface Stubs {
  /** Result of a state's function. An error that is thrown has the error name as its `name`. */
  readonly task: (state: string, payload: Record<string, unknown>, attempt: number) => unknown;
  /** Items of a manifest, by its key. */
  readonly manifests?: Record<string, readonly unknown[]>;
}

/** End of an execution. */
export interface Outcome {
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
  /** Names of the states, in the order in which they were entered. Children are among them; attempts are not. */
  readonly path: readonly string[];
}

/** Error of a function. */
export class FunctionError extends Error {
  constructor(name: string, message = 'no') {
    // As Step Functions writes the cause of a function's error.
    super(JSON.stringify({ errorType: name, errorMessage: message }));
    this.name = name;
  }
}

/** Fields that the transformation adds to an input. No state of ours sees them. */
const ITEMS = '__items';
const FAILURE = '__failure';
const CONTEXT = {
  Execution: {
    Name: 'run',
    Id: 'arn:aws:states:us-east-1:000000000000:execution:m:run',
    StartTime: '2026-01-01T00:00:00Z',
  },
};

type Input = Record<string, unknown>;
type Handler = (input: Input) => Promise<unknown>;

/** Runs the machine without waiting between attempts. */
export async function run(machine: Machine, input: unknown, stubs: Stubs): Promise<Outcome> {
  const { StateMachine } = await engine();
  const handlers: Record<string, Handler> = {};
  const transformed = new Transformation(stubs, handlers).machine(machine);
  const states = Object.keys(handlers);
  const execution = new StateMachine(transformed as never, { validationOptions: { noValidate: true } }).run(
    input as never,
    {
      context: CONTEXT,
      overrides: {
        taskResourceLocalHandlers: handlers as never,
        retryIntervalOverrides: Object.fromEntries(states.map((name) => [name, 0])),
      },
    },
  );
  const path: string[] = [];
  const watching = (async () => {
    for await (const event of execution.eventLogs) if (event.type === 'StateEntered') path.push(event.state.name);
  })();
  try {
    const output: unknown = await execution.result;
    await watching;
    return { output, path: ours(path) };
  } catch (error) {
    await watching;
    // The engine wraps the error that ended the execution.
    const { name, message } = (error as Error).cause as Error;
    return { error: name, cause: message, path: ours(path) };
  }
}

/** Loads the engine, which is made for Node 22: the one function of it that Node 20 does not have is added. */
async function engine(): Promise<typeof import('aws-local-stepfunctions')> {
  const promises = Promise as unknown as { withResolvers?: unknown };
  promises.withResolvers ??= () => {
    const settle: { resolve?: unknown; reject?: unknown } = {};
    const promise = new Promise((resolve, reject) => Object.assign(settle, { resolve, reject }));
    return { promise, ...settle };
  };
  return import('aws-local-stepfunctions');
}

/** Removes the states that the transformation has added. */
function ours(path: readonly string[]): string[] {
  return path.filter((name) => !name.includes(' '));
}

class Transformation {
  private readonly attempts = new Map<string, number>();

  constructor(
    private readonly stubs: Stubs,
    private readonly handlers: Record<string, Handler>,
  ) {}

  machine({ StartAt, States }: Machine): Machine {
    const replaced = Object.entries(States).flatMap(([name, state]) => Object.entries(this.states(name, state)));
    return { StartAt, States: Object.fromEntries(replaced) as Machine['States'] };
  }

  /** Returns the states that replace one. The first has its name. */
  private states(name: string, state: State): Record<string, unknown> {
    if (state.Type === 'Map') return this.map(name, state);
    if (state.QueryLanguage !== 'JSONata') return { [name]: state };
    if (state.Type === 'Fail') return this.fail(name, state);
    if (state.Type === 'Task' || state.Type === 'Pass') return this.task(name, state);
    throw new Error(`${name} is a ${state.Type} in JSONata: the transformation does not know it`);
  }

  private task(name: string, { Next, End, Retry, Catch, TimeoutSeconds, ...state }: State): Record<string, unknown> {
    this.handlers[name] = async (raw) => {
      const input = without(raw);
      const attempt = this.attempts.get(name) ?? 0;
      this.attempts.set(name, attempt + 1);
      const context = { ...CONTEXT, Task: { Token: 'token' }, State: { RetryCount: attempt } };
      const states = { input, context };
      if (state.Type === 'Pass') return defined(state.Output, states);
      const { Payload } = (await defined(state.Arguments, states)) as { Payload: Input };
      const answered = this.stubs.task(name, Payload, attempt);
      const waits = state.Resource?.endsWith('.waitForTaskToken') === true;
      this.attempts.delete(name);
      return defined(state.Output, { ...states, result: waits ? answered : { StatusCode: 200, Payload: answered } });
    };
    const caught = this.catches(name, Catch ?? []);
    const fields = { Next, End, Retry, TimeoutSeconds };
    return { [name]: { ...task(fields), ...(Catch && { Catch: caught.catchers }) }, ...caught.states };
  }

  /** Evaluates the Output of each Catch by a Task between the state and its Next. */
  private catches(
    name: string,
    catchers: readonly Catcher[],
  ): { catchers: unknown[]; states: Record<string, unknown> } {
    const states: Record<string, unknown> = {};
    const transformed = catchers.map((catcher, place) => {
      const between = `${name} caught ${place}`;
      this.handlers[between] = (raw) =>
        defined(catcher.Output, { input: without(raw), errorOutput: raw[FAILURE], context: CONTEXT });
      states[between] = task({ Next: catcher.Next });
      return { ErrorEquals: catcher.ErrorEquals, ResultPath: `$.${FAILURE}`, Next: between };
    });
    return { catchers: transformed, states };
  }

  private fail(name: string, state: State): Record<string, unknown> {
    this.handlers[name] = async (raw) => {
      const states = { input: without(raw) };
      return { error: await defined(state.Error, states), cause: await defined(state.Cause, states) };
    };
    const end = `${name} end`;
    return { [name]: task({ Next: end }), [end]: { Type: 'Fail', ErrorPath: '$.error', CausePath: '$.cause' } };
  }

  private map(name: string, { ItemReader, ItemProcessor, Label, ...state }: State): Record<string, unknown> {
    if (ItemReader === undefined || ItemProcessor === undefined) throw new Error(`${name} has no ItemReader`);
    this.handlers[name] = (input) => {
      const items = this.stubs.manifests?.[String(input.manifest_key)];
      if (items === undefined) throw new FunctionError('States.ItemReaderFailed', `no ${String(input.manifest_key)}`);
      return Promise.resolve({ ...input, [ITEMS]: items });
    };
    const map = `${name} (${String(Label)})`;
    return {
      [name]: task({ Next: map, Catch: state.Catch }),
      [map]: { ...state, ItemsPath: `$.${ITEMS}`, ItemProcessor: this.machine(ItemProcessor) },
    };
  }
}

/** Evaluates a field. As on AWS, an expression that returns nothing fails the state. */
async function defined(template: unknown, states: Record<string, unknown>): Promise<unknown> {
  const value = await evaluate(template, states);
  const missing = (item: unknown): boolean =>
    item === undefined || (typeof item === 'object' && item !== null && Object.values(item).some(missing));
  if (missing(value))
    throw new FunctionError('States.QueryEvaluationError', `nothing at a part of ${JSON.stringify(template)}`);
  return value;
}

function task(fields: Record<string, unknown>): Record<string, unknown> {
  const present = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return { Type: 'Task', Resource: 'arn:aws:lambda:us-east-1:000000000000:function:stub', ...present };
}

function without(input: unknown): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  return Object.fromEntries(Object.entries(input).filter(([name]) => name !== ITEMS && name !== FAILURE));
}
