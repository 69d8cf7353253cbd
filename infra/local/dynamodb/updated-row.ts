import { isRecord, record } from '../template/template.ts';

type Item = Readonly<Record<string, unknown>>;
/** What an attribute becomes; without a value it goes. */
interface Assignment {
  readonly path: readonly string[];
  readonly value?: unknown;
}

const clause_pattern = /\b(SET|ADD|REMOVE|DELETE)\s+/;
const set_pattern = /^(\S+) = (\S+|if_not_exists\(\S+, :\w+\))(?: \+ (\S+))?$/;
const default_pattern = /^if_not_exists\((\S+), (:\w+)\)$/;
/** A comma that stands in no brackets. */
const comma_pattern = /,(?![^(]*\))/;
const add_pattern = /^(\S+) (:\w+)$/;
const name_pattern = /^#?\w+$/;
/** A number as the engine gives it back, small enough to be added to. */
export const plain_number = /^(0|-?[1-9]\d{0,14})$/;

/**
 * What the engine leaves of a row when it has done an update to it. Undefined for all but the plainest: names with
 * dots between them, `SET a = :a`, `SET a = a + :a`, `SET a = if_not_exists(b, :b)`, `ADD a :a` of whole numbers, and `REMOVE a`.
 *
 * @param before The row that it was done to; null where there was none.
 */
export function updatedRow(before: Item | null, update: Item): Item | undefined {
  const [start, ...clauses] = String(update['UpdateExpression']).split(clause_pattern);
  if (start !== '' || clauses.length === 0) return undefined;
  const old = before ?? record(update['Key']);
  const assignments = clauses.flatMap((verb, index) =>
    index % 2 === 0
      ? termsOf(clauses[index + 1]).map((term) => assign(verb, term, { old, update }))
      : [],
  );
  if (overlap(assignments)) return undefined;
  return assignments.reduce<Item | undefined>(
    (row, one) => row && one && replaced(row, one.path, one.value),
    old,
  );
}

/** Whether two are of one attribute, or of one inside of the other's: refused by DynamoDB, but not by each engine. */
function overlap(assignments: readonly (Assignment | undefined)[]): boolean {
  const paths = assignments.map((one) => one?.path ?? []);
  return paths.some((path, at) =>
    paths.some((other, n) => n !== at && path.every((part, depth) => other[depth] === part)),
  );
}

function termsOf(terms = ''): string[] {
  return terms.split(comma_pattern).map((term) => term.trim());
}

interface Context {
  /** All that is read is of before the update. */
  readonly old: Item;
  readonly update: Item;
}

function assign(verb: string, term: string, context: Context): Assignment | undefined {
  if (verb === 'SET') return set(term, context);
  if (verb === 'ADD') return add(term, context);
  const path = verb === 'REMOVE' ? pathOf(term, context.update) : undefined;
  return path && { path };
}

function set(term: string, context: Context): Assignment | undefined {
  const [, name = '', first = '', second] = set_pattern.exec(term) ?? [];
  const value = operand(first, context);
  const path = pathOf(name, context.update);
  return assigned(path, second === undefined ? value : sum(value, operand(second, context)));
}

function add(term: string, context: Context): Assignment | undefined {
  const [, name = '', more = ''] = add_pattern.exec(term) ?? [];
  const path = pathOf(name, context.update);
  const now = path && (attributeAt(context.old, path) ?? { N: '0' });
  return assigned(path, sum(now, operand(more, context)));
}

function assigned(path: readonly string[] | undefined, value: unknown): Assignment | undefined {
  return path === undefined || value === undefined ? undefined : { path, value };
}

function pathOf(text: string, update: Item): readonly string[] | undefined {
  const names = record(update['ExpressionAttributeNames']);
  const parts = text.split('.');
  if (!parts.every((part) => name_pattern.test(part))) return undefined;
  const path = parts.map((part) => (part.startsWith('#') ? names[part] : part));
  return path.every((part) => typeof part === 'string') ? path : undefined;
}

/** What a name or a `:value` stands for. */
function operand(text: string, { old, update }: Context): unknown {
  if (text.startsWith(':')) return record(update['ExpressionAttributeValues'])[text];
  const [, name, otherwise = ''] = default_pattern.exec(text) ?? [];
  const path = pathOf(name ?? text, update);
  if (name !== undefined) {
    return path && (attributeAt(old, path) ?? operand(otherwise, { old, update }));
  }
  return path && attributeAt(old, path);
}

function attributeAt(item: Item, [first = '', ...rest]: readonly string[]): unknown {
  const attribute = item[first];
  return rest.length === 0 ? attribute : attributeAt(record(record(attribute)['M']), rest);
}

function sum(a: unknown, b: unknown): unknown {
  const [one, other] = [record(a)['N'], record(b)['N']];
  if (typeof one !== 'string' || !plain_number.test(one)) return undefined;
  if (typeof other !== 'string' || !plain_number.test(other)) return undefined;
  return { N: String(Number(one) + Number(other)) };
}

function replaced(
  item: Item,
  [first = '', ...rest]: readonly string[],
  value: unknown,
): Item | undefined {
  if (rest.length === 0) {
    const { [first]: _, ...others } = item;
    return value === undefined ? others : { ...others, [first]: value };
  }
  const map = record(item[first])['M'];
  const inner = isRecord(map) ? replaced(map, rest, value) : undefined;
  return inner && { ...item, [first]: { M: inner } };
}
