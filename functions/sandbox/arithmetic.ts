import { parse } from 'just-bash';

/**
 * Shell arithmetic beyond 32 bits. The interpreter counts in doubles, and shifts and combines bits in 32
 * of them: `1 << 40` came out as 256, `192 << 24` negative, without any error. Here the tree of an
 * expression is written anew with what doubles do right: exact up to 2^53, and an error beyond it, where
 * a shell would go on to 2^63.
 */

interface Expr {
  type: string;
  [field: string]: unknown;
}

/** Operands are worked out once, into variables of a level of their own: an operand may be such a thing too. */
const NAME = '__arithmetic';

/** Whether a variable is one of an expression's own: no part of a session's state. */
export function isArithmeticName(name: string): boolean {
  return name.startsWith(NAME);
}

const HALF = '4294967296';
const half = (name: string): string =>
  `(${name} < 0 ? (${name} - ${HALF} + 1) / ${HALF} : ${name} / ${HALF})`;

/** Both halves of two numbers of 64 bits. `@` is the operator, `n` the level. */
const BITS = [
  'nA = LEFT, nB = RIGHT',
  `nC = ${half('nA')}, nD = ${half('nB')}`,
  `(nC @ nD) * ${HALF} + ((nA - nC * ${HALF} @ nB - nD * ${HALF}) + ${HALF}) % ${HALF}`,
].join(', ');

const templates: Readonly<Record<string, string>> = {
  '<<': '(LEFT) * 2 ** (RIGHT)',
  '>>': 'nA = LEFT, nB = 2 ** (RIGHT), nA < 0 ? (nA - nB + 1) / nB : nA / nB',
  '~': '-1 - (LEFT)',
  '&': BITS,
  '|': BITS,
  '^': BITS,
};

const EXACT = 'nA = LEFT, nA > 9007199254740991 || nA < -9007199254740991 ? RIGHT : nA';

/** What is said where a number is not exact any more; evaluated, it fails its command. */
const too_large = {
  type: 'ArithSyntaxError',
  errorToken: '',
  message: 'whole numbers beyond 2^53 are not exact in this shell: use python3 or bc',
};

/** Whether an expression can grow beyond what a double holds. */
const GROWS: ReadonlySet<unknown> = new Set(['*', '**', '<<', '*=', '<<=']);

/** Write each expression of a script anew that would come out wrong. Changes the tree. */
export function exactArithmetic(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  for (const inside of Object.values(node)) exactArithmetic(inside);
  if (!isExpr(node) || node.type !== 'ArithmeticExpression') return;
  const { expression, originalText } = node;
  if (!isExpr(expression)) return;
  const anew = anewOf(expression, stringOf(originalText));
  if (anew === undefined) return;
  node['expression'] = anew;
  delete node['originalText'];
}

/** An expression written anew; undefined where it is right as it stands. */
function anewOf(expression: Expr, text: string): Expr | undefined {
  const operators = new Set(operatorsIn(expression));
  // What it cannot parse before variables are put in, it parses then.
  if (operators.has('ArithSyntaxError')) return undefined;
  if (isLarge(expression)) return too_large;
  const has_bits = Object.keys(templates).some((operator) => operators.has(operator));
  const grows = [...operators].some((one) => GROWS.has(one));
  // A text that variables are put into is another one each time.
  const is_text = /\$[a-z_]/i.test(text);
  if (!has_bits && (!grows || is_text)) return undefined;
  const { expr, level } = exact(expression);
  return grows ? filled(EXACT, { level, LEFT: expr, RIGHT: too_large }) : expr;
}

const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function isExpr(value: unknown): value is Expr {
  return typeof value === 'object' && value !== null && 'type' in value;
}

/** The operators of an expression as it is written, with what is no expression by its type. */
function operatorsIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const inside = Object.values(node).flatMap(operatorsIn);
  if (!isExpr(node)) return inside;
  if (node.type === 'ArithSyntaxError') return [node.type];
  const { operator, right } = node;
  if (typeof operator !== 'string' || isSmall(operator, right)) return inside;
  // `x <<= 1` is `x = x << 1`.
  return [...inside, operator, operator.replace(/=$/, '')];
}

/** `x & 1` is right as it is. */
function isSmall(operator: string, right: unknown): boolean {
  return (
    operator === '&' &&
    isExpr(right) &&
    right.type === 'ArithNumber' &&
    Number(right['value']) < 2 ** 31
  );
}

/** The interpreter reads a longer number as the largest that it knows. */
function isLarge(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (isExpr(node) && node.type === 'ArithNumber')
    return Number(node['value']) >= Number.MAX_SAFE_INTEGER;
  return Object.values(node).some(isLarge);
}

/** An expression written anew, and the level of variables that is free above it. */
function exact(node: Expr): { readonly expr: Expr; readonly level: number } {
  let level = 0;
  for (const [field, inside] of Object.entries(node)) {
    if (!isExpr(inside)) continue;
    const done = exact(inside);
    node[field] = done.expr;
    level = Math.max(level, done.level);
  }
  if (node.type !== 'ArithAssignment') return operated(node, level);
  const { value, ...assignment } = assigned(node);
  const done = operated(value as Expr, level);
  return { expr: { ...assignment, value: done.expr }, level: done.level };
}

function operated(node: Expr, level: number): { readonly expr: Expr; readonly level: number } {
  const operator = stringOf(node['operator']);
  const template = Object.hasOwn(templates, operator) ? templates[operator] : undefined;
  if (template === undefined || isSmall(operator, node['right'])) return { expr: node, level };
  const operands = { LEFT: node['left'] ?? node['operand'], RIGHT: node['right'] };
  return {
    expr: filled(template.replaceAll('@', operator), { level, ...operands }),
    level: level + 1,
  };
}

/** `x <<= 1` as `x = x << 1`; what has no such form is left. */
function assigned(node: Expr): Expr {
  const { operator, variable, subscript, stringKey, value } = node;
  const binary = String(operator).replace(/=$/, '');
  if (!Object.hasOwn(templates, binary)) return node;
  const left =
    subscript === undefined && stringKey === undefined
      ? { type: 'ArithVariable', name: variable }
      : { type: 'ArithArrayElement', array: variable, index: subscript, stringKey };
  const right = { type: 'ArithGroup', expression: value };
  return { ...node, operator: '=', value: { type: 'ArithBinary', operator: binary, left, right } };
}

interface Filling {
  readonly level: number;
  readonly LEFT: unknown;
  readonly RIGHT?: unknown;
}

/** A template as a tree, with its operands at their places. */
function filled(template: string, filling: Filling): Expr {
  const named = template.replace(/\bn([A-D])\b/g, `${NAME}${filling.level}$1`);
  const [found] = expressionsIn(parse(`((${named}))`));
  if (found === undefined) throw new Error('a template is an expression');
  const put = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(put);
    if (!isExpr(node)) return node;
    if (node.type === 'ArithVariable' && (node['name'] === 'LEFT' || node['name'] === 'RIGHT')) {
      return filling[node['name']];
    }
    return Object.fromEntries(Object.entries(node).map(([field, inside]) => [field, put(inside)]));
  };
  return { type: 'ArithGroup', expression: put(found) };
}

function expressionsIn(node: unknown): Expr[] {
  if (typeof node !== 'object' || node === null) return [];
  if (isExpr(node) && node.type === 'ArithmeticExpression') return [node['expression'] as Expr];
  return Object.values(node).flatMap(expressionsIn);
}
