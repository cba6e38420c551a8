/** Reads a raw context value, or throws `RuleBroken` when it does not keep the rule. */
export interface Rule<Value> {
  /** What is allowed, as a noun phrase that completes "must be …". */
  readonly allowed: string;
  /** The value of `raw`, which comes from cdk.json (any JSON) or from `-c key=value` (a string). */
  parse(raw: unknown): Value;
}

/** One context key: its default, its rule and a sentence on what it does. */
export interface SettingKey<Value> {
  readonly default: Value;
  readonly rule: Rule<Value>;
  readonly what: string;
}

/** The type of value that a rule lets through. */
export type ValueOf<R> = R extends Rule<infer Value> ? Value : never;

/** Thrown by a rule; carries no text because the rule itself says what is allowed. */
export class RuleBroken extends Error {}

/** A whole number between `min` and `max`; numeric strings count, because `-c` only passes strings. */
export function integer(min: number, max: number): Rule<number> {
  const allowed =
    max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`;
  return {
    allowed,
    parse(raw) {
      const value = typeof raw === 'string' && /^\d+$/.test(raw.trim()) ? Number(raw) : raw;
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max)
        throw new RuleBroken();
      return value;
    },
  };
}

/** Any text but the empty one. */
export function text(allowed: string): Rule<string> {
  return pattern(/\S/, allowed);
}

/** Text of a form. */
export function pattern(form: RegExp, allowed: string): Rule<string> {
  return {
    allowed,
    parse(raw) {
      if (typeof raw !== 'string' || !form.test(raw)) throw new RuleBroken();
      return raw;
    },
  };
}

/** One of some words. */
export function oneOf<Word extends string>(...words: Word[]): Rule<Word> {
  return {
    allowed: words.map((word) => `\`${word}\``).join(' or '),
    parse(raw) {
      const word = words.find((candidate) => candidate === raw);
      if (word === undefined) throw new RuleBroken();
      return word;
    },
  };
}

/** An http or https URL without a path. */
export function url(): Rule<string> {
  return pattern(/^https?:\/\/[^\s/?#]+\/?$/, 'an http or https URL without a path');
}

/** `true` or `false`; as words too, because `-c` only passes strings. */
export function yesOrNo(): Rule<boolean> {
  return {
    allowed: '`true` or `false`',
    parse(raw) {
      if (raw === true || raw === 'true') return true;
      if (raw === false || raw === 'false') return false;
      throw new RuleBroken();
    },
  };
}

/** S3 bucket names. */
export function bucketNames(): Rule<readonly string[]> {
  const allowed = 'a list of S3 bucket names (names only, no `s3://`), or one string of them with commas';
  return list(pattern(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, allowed));
}

/** Email addresses, each once. Whether somebody reads them, only their confirmation can tell. */
export function emailAddresses(): Rule<readonly string[]> {
  const allowed = 'a list of email addresses, or one string of them with commas';
  const addresses = list(pattern(/^[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+$/, allowed));
  return { allowed, parse: (raw) => [...new Set(addresses.parse(raw))] };
}

/** Many of one rule: a JSON list, or one string with commas. */
function list<Value>(rule: Rule<Value>): Rule<readonly Value[]> {
  return {
    allowed: rule.allowed,
    parse(raw) {
      const values: unknown[] = typeof raw === 'string' ? splitList(raw) : Array.isArray(raw) ? raw : [undefined];
      return values.map((value) => rule.parse(value));
    },
  };
}

/** Lets "not set" through: an absent key, null, or the empty string that `-c key=` gives. */
export function optional<Value>(rule: Rule<Value>): Rule<Value | undefined> {
  return {
    allowed: `${rule.allowed}, or not set`,
    parse: (raw) => (raw === undefined || raw === null || raw === '' ? undefined : rule.parse(raw)),
  };
}

function splitList(raw: string): string[] {
  return raw
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
