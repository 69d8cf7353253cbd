import { Fault } from './fault.ts';
import { limits } from './limits.ts';

/**
 * Parse a request's body: JSON in which every name stands once, every text is Unicode and nesting
 * is bounded. The platform and whoever reads the body before it (a proxy, a log) must not see two
 * different requests.
 *
 * @throws Fault `invalid`
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Fault('invalid', 'The body is not valid JSON. Send one JSON object in UTF-8.', {
      cause,
    });
  }
  checkShape(text);
  return value;
}

/** One name of an object, or undefined between the braces of an array. */
type Level = Set<string> | undefined;

/** `text` is known to be valid JSON, so a string before a colon is a name and brackets match. */
function checkShape(text: string): void {
  const open: Level[] = [];
  let position = 0;
  while (position < text.length) {
    const char = text[position];
    if (char === '"') {
      const end = endOfString(text, position);
      const names = open.at(-1);
      const quoted = text.slice(position, end);
      checkUnicode(quoted);
      if (names !== undefined && isName(text, end)) addName(names, quoted);
      position = end;
      continue;
    }
    if (char === '{' || char === '[') {
      open.push(char === '{' ? new Set() : undefined);
      if (open.length > limits.json_depth_max) {
        throw new Fault(
          'invalid',
          `The body is nested deeper than ${limits.json_depth_max} levels. Flatten it.`,
        );
      }
    }
    if (char === '}' || char === ']') open.pop();
    position++;
  }
}

/** JSON can write half of a surrogate pair; UTF-8 cannot, so no row, object or model would take it. */
function checkUnicode(quoted: string): void {
  if (!quoted.includes('\\u') || (JSON.parse(quoted) as string).isWellFormed()) return;
  throw new Fault(
    'invalid',
    'The body has a text with half of a surrogate pair. Cut texts between whole characters.',
  );
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text[quote - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

function isName(text: string, end: number): boolean {
  let next = end;
  while (/\s/.test(text[next] ?? '')) next++;
  return text[next] === ':';
}

function addName(names: Set<string>, quoted: string): void {
  const name = JSON.parse(quoted) as string;
  if (names.has(name)) {
    throw new Fault(
      'invalid',
      `The body has the field '${name.slice(0, 80)}' twice. Send it once.`,
    );
  }
  // JSON.parse makes it an own property, but every copy by assignment would set the prototype.
  if (name === '__proto__') {
    throw new Fault(
      'invalid',
      "The body has a field '__proto__', which is not allowed. Remove it.",
    );
  }
  names.add(name);
}
