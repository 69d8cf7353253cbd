/**
 * A request with U+FFFD in the place of each half of a surrogate pair, the same request where it has none. The
 * API takes no such text ("no low surrogate in string"), and a conversation that holds one would be refused
 * each time, to its end: a tool may print one, and whoever cuts a text may cut within a character.
 */
export function wellFormed<Value>(value: Value): Value {
  return isWellFormed(value) ? value : (mended(value) as Value);
}

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  return typeof value !== 'object' || value === null || Object.values(value).every(isWellFormed);
}

function mended(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(mended);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, field]) => [name.toWellFormed(), mended(field)]);
  return Object.fromEntries(fields);
}
