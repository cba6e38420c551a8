/** A rule for the values of a context key. */
export interface Rule<Value> {
  /** Allowed values, as a noun phrase that completes "must be …". */
  readonly allowed: string;
  /** Returns the value of `raw`, which is any JSON (cdk.json) or a string (`-c key=value`). Throws `RuleViolation`. */
  parse(raw: unknown): Value;
}

/** A context key: its default, its rule and its description. */
export interface SettingKey<Value> {
  readonly default: Value;
  readonly rule: Rule<Value>;
  readonly description: string;
}

/** The type of the values that a rule allows. */
export type ValueOf<R> = R extends Rule<infer Value> ? Value : never;

/** Thrown by a rule. It has no message, because the rule itself describes the allowed values. */
export class RuleViolation extends Error {}

/** Allows whole numbers from `min` to `max`, also as strings, because `-c` only passes strings. */
export function integer(min: number, max: number): Rule<number> {
  const allowed =
    max === Number.MAX_SAFE_INTEGER ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`;
  return {
    allowed,
    parse(raw) {
      const value = typeof raw === 'string' && /^\d+$/.test(raw.trim()) ? Number(raw) : raw;
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max)
        throw new RuleViolation();
      return value;
    },
  };
}

/** Allows numbers from `min` to `max`, also as strings. */
export function number(min: number, max: number): Rule<number> {
  return {
    allowed: `a number from ${min} to ${max}`,
    parse(raw) {
      const value = typeof raw === 'string' && /^\d+(\.\d+)?$/.test(raw.trim()) ? Number(raw) : raw;
      if (typeof value !== 'number' || !(value >= min && value <= max)) throw new RuleViolation();
      return value;
    },
  };
}

/** Allows any text that is not empty. */
export function text(allowed: string): Rule<string> {
  return pattern(/\S/, allowed);
}

/** Allows text that matches a regular expression. */
export function pattern(expression: RegExp, allowed: string): Rule<string> {
  return {
    allowed,
    parse(raw) {
      if (typeof raw !== 'string' || !expression.test(raw)) throw new RuleViolation();
      return raw;
    },
  };
}

/** Allows one of several words. */
export function oneOf<Word extends string>(...words: Word[]): Rule<Word> {
  return {
    allowed: words.map((word) => `\`${word}\``).join(' or '),
    parse(raw) {
      const word = words.find((candidate) => candidate === raw);
      if (word === undefined) throw new RuleViolation();
      return word;
    },
  };
}

/** Allows http and https URLs without a path. */
export function url(): Rule<string> {
  return pattern(/^https?:\/\/[^\s/?#]+\/?$/, 'an http or https URL without a path');
}

/** Allows http and https URLs that other URLs begin with, with or without a path. */
export function baseUrl(): Rule<string> {
  return pattern(/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, 'an http or https URL without credentials and query');
}

/** Allows the names of secrets, and their complete ARNs. */
export function secret(): Rule<string> {
  const name = '[A-Za-z0-9/_+=.@-]{1,512}';
  const arn = `arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\\d{12}:secret:${name}-[A-Za-z0-9]{6}`;
  return pattern(new RegExp(`^(${name}|${arn})$`), 'the name of a secret, or its complete ARN');
}

/** Allows `true` and `false`, also as strings, because `-c` only passes strings. */
export function boolean(): Rule<boolean> {
  return {
    allowed: '`true` or `false`',
    parse(raw) {
      if (raw === true || raw === 'true') return true;
      if (raw === false || raw === 'false') return false;
      throw new RuleViolation();
    },
  };
}

/** Allows lists of S3 bucket names. */
export function bucketNames(): Rule<readonly string[]> {
  const allowed = 'a list of S3 bucket names (without `s3://`), or a comma-separated string of them';
  return list(pattern(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, allowed));
}

/** Allows lists of prefixes in S3 that end in a slash: of the bucket of the stack, or as addresses with a bucket. */
export function s3Prefixes(): Rule<readonly string[]> {
  const allowed =
    'a list of prefixes that end in `/`, of the bucket of the stack (`inputs/`) or with another bucket (`s3://bucket/path/`), or a comma-separated string of them';
  return list(
    pattern(/^(s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/|(?!s3:|\/))([^\s,*?/][^,*?/]*\/)*(?<=\/)$/, allowed),
  );
}

/** Allows ARNs of keys of KMS. Not aliases: policies do not reach a key by its alias. */
export function keyArn(): Rule<string> {
  return pattern(
    /^arn:aws(-[a-z]+)*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]{36}$/,
    'the ARN of a KMS key (`arn:aws:kms:<region>:<account>:key/<id>`, no alias)',
  );
}

/** Allows lists of ARNs of keys of KMS. */
export function keyArns(): Rule<readonly string[]> {
  const allowed = 'a list of ARNs of KMS keys (no aliases), or a comma-separated string of them';
  return list({ ...keyArn(), allowed });
}

/** Allows lists of at most `most` ids of resources of EC2, such as subnets (`subnet-…`). */
export function ec2Ids(prefix: string, most: number): Rule<readonly string[]> {
  const allowed = `a list of at most ${most} ids (\`${prefix}-…\`), or a comma-separated string of them`;
  const ids = list(pattern(new RegExp(`^${prefix}-[0-9a-z]{1,24}$`), allowed));
  return {
    allowed,
    parse(raw) {
      const values = [...new Set(ids.parse(raw))];
      if (values.length > most) throw new RuleViolation();
      return values;
    },
  };
}

/** Maximum length of all tags as text: they are in the environment of a function, which has 4 KB. */
const MAX_TAGS_CHARS = 1000;
/** Keys that AWS and this stack have for themselves. */
const RESERVED_TAGS = /^(aws:|bedrock-batch:)/i;

/** Allows tags: an object of texts, or a comma-separated string of `key=value`. Keys and values as Bedrock allows them. */
export function tags(): Rule<Readonly<Record<string, string>>> {
  return {
    allowed:
      'an object of texts, or a comma-separated string of `key=value`, of at most 1000 characters in all; of letters, digits, spaces and `._:/=+@-` (no `=` in keys); no key that begins with `aws:` or `bedrock-batch:`',
    parse(raw) {
      const pairs: [string, unknown][] =
        typeof raw === 'string'
          ? splitList(raw).map((tag) => [tag.split('=', 1)[0] ?? '', /=(.*)$/.exec(tag)?.[1]])
          : typeof raw === 'object' && raw !== null && !Array.isArray(raw)
            ? Object.entries(raw)
            : [['', undefined]];
      const isTag = ([key, value]: [string, unknown]): boolean =>
        /^[A-Za-z0-9 ._:/+@-]{1,128}$/.test(key) &&
        typeof value === 'string' &&
        /^[A-Za-z0-9 ._:/=+@-]{0,256}$/.test(value) &&
        !RESERVED_TAGS.test(key);
      const keys = new Set(pairs.map(([key]) => key));
      const length = pairs.map((pair) => pair.join('=')).join(',').length;
      if (!pairs.every(isTag) || keys.size < pairs.length || length > MAX_TAGS_CHARS) throw new RuleViolation();
      return Object.fromEntries(pairs) as Record<string, string>;
    },
  };
}

/** Allows lists of email addresses, and drops repeated ones. Only their confirmation proves that they exist. */
export function emailAddresses(): Rule<readonly string[]> {
  const allowed = 'a list of email addresses, or a comma-separated string of them';
  const addresses = list(pattern(/^[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+$/, allowed));
  return { allowed, parse: (raw) => [...new Set(addresses.parse(raw))] };
}

/** Allows lists of values that keep `rule`: a JSON list, or a comma-separated string. */
function list<Value>(rule: Rule<Value>): Rule<readonly Value[]> {
  return {
    allowed: rule.allowed,
    parse(raw) {
      const values: unknown[] = typeof raw === 'string' ? splitList(raw) : Array.isArray(raw) ? raw : [undefined];
      return values.map((value) => rule.parse(value));
    },
  };
}

/** Allows also "not set": an absent key, null, or the empty string of `-c key=`. */
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
