import { BootError } from '../boot-error.ts';
import { isRecord, texts } from '../template/template.ts';
import { matches } from './pattern.ts';

/** What is known of a request when it is judged: condition key (lower case) to its values. */
export type RequestContext = Readonly<Record<string, readonly string[]>>;

export interface Condition {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
}

type Test = (actual: string, wanted: string) => boolean;

interface Operator {
  readonly test: Test;
  /** A negated operator holds when no wanted value matches. */
  readonly negated?: true;
}

const equal: Test = (actual, wanted) => actual === wanted;
const like: Test = (actual, wanted) => matches(wanted, actual);
const equalIgnoreCase: Test = (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase();
const compare = (holds: (gap: number) => boolean): Operator => ({
  test: (actual, wanted) => holds(Number(actual) - Number(wanted)),
});

const operators: Readonly<Record<string, Operator>> = {
  StringEquals: { test: equal },
  StringNotEquals: { test: equal, negated: true },
  StringEqualsIgnoreCase: { test: equalIgnoreCase },
  StringLike: { test: like },
  StringNotLike: { test: like, negated: true },
  ArnEquals: { test: like },
  ArnLike: { test: like },
  ArnNotEquals: { test: like, negated: true },
  ArnNotLike: { test: like, negated: true },
  Bool: { test: equalIgnoreCase },
  NumericEquals: compare((gap) => gap === 0),
  NumericLessThan: compare((gap) => gap < 0),
  NumericLessThanEquals: compare((gap) => gap <= 0),
  NumericGreaterThan: compare((gap) => gap > 0),
  NumericGreaterThanEquals: compare((gap) => gap >= 0),
};

/** Keys that the gateway fills in. A condition on another one could never hold here. */
const known_keys = new Set([
  'aws:principalarn',
  'aws:principalaccount',
  'aws:requestedregion',
  'aws:securetransport',
  'aws:sourceaccount',
  'aws:sourcearn',
  'dynamodb:leadingkeys',
  'iam:passedtoservice',
  'kms:encryptioncontextkeys',
  'kms:viaservice',
  's3:prefix',
  's3:tlsversion',
]);

/** A key of KMS names the part of the context that it means. */
function isKnown(key: string): boolean {
  return known_keys.has(key) || key.startsWith('kms:encryptioncontext:');
}

/** @throws BootError for an operator or a key that the host does not evaluate. */
export function parseConditions(block: unknown): Condition[] {
  if (!isRecord(block)) return [];
  return Object.entries(block).flatMap(([operator, keys]) => {
    const { base } = split(operator);
    if (base !== 'Null' && operators[base] === undefined) {
      throw new BootError(
        `The local host does not evaluate the IAM condition operator ${operator}.`,
      );
    }
    return Object.entries(keys as Record<string, unknown>).map(([key, values]) => {
      if (!isKnown(key.toLowerCase())) {
        throw new BootError(`The local host does not know the IAM condition key ${key}.`);
      }
      return { operator, key: key.toLowerCase(), values: texts(values, key) };
    });
  });
}

export function conditionHolds(
  { operator, key, values }: Condition,
  context: RequestContext,
): boolean {
  const { base, set, if_exists } = split(operator);
  const actual = context[key];
  if (base === 'Null') return (actual === undefined) === (values[0] === 'true');
  const found = operators[base];
  if (found === undefined) return false;
  if (actual === undefined) return if_exists || set === 'ForAllValues' || found.negated === true;
  const one = (value: string): boolean =>
    values.some((wanted) => found.test(value, wanted)) !== (found.negated === true);
  return set === 'ForAllValues' ? actual.every(one) : actual.some(one);
}

function split(operator: string): { base: string; set: string; if_exists: boolean } {
  const parts = operator.split(':');
  const last = parts.at(-1) ?? '';
  const if_exists = last.endsWith('IfExists');
  const base = if_exists ? last.slice(0, -'IfExists'.length) : last;
  return { base, set: parts.length > 1 ? (parts[0] ?? '') : '', if_exists };
}
