/** The fields above a text's body. */
export interface FrontMatter {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const FENCE = '---';

/**
 * Read front matter in the part of YAML that people and programs write alike: `name: value` lines,
 * a value being JSON or plain words, or left out and followed by `  - item` lines. Comments stand
 * on lines of their own. Anything else is refused and not guessed at.
 */
export function parseFrontMatter(text: string): FrontMatter | { readonly fault: string } {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const end = lines.indexOf(FENCE, 1);
  if (lines[0] !== FENCE || end === -1) {
    return { fault: "has no front matter: begin it with a line '---' and end it with another." };
  }
  const read: Reading = { fields: new Map(), list: undefined };
  for (const [index, line] of lines.slice(1, end).entries()) {
    if (line.trim() === '' || /^\s*#/.test(line)) continue;
    const item = /^\s+-\s+(.*)$/.exec(line)?.[1];
    const fault = item === undefined ? readField(read, line) : readItem(read, item);
    if (fault !== undefined) return { fault: `line ${index + 2} ${fault}` };
  }
  const body = lines.slice(end + 1).join('\n');
  return { fields: Object.fromEntries(read.fields), body: body.replace(/^\n/, '') };
}

interface Reading {
  readonly fields: Map<string, unknown>;
  /** Of the field that was read last, where its items follow. */
  list: unknown[] | undefined;
}

function readField(read: Reading, line: string): string | undefined {
  const [, name, rest = ''] = /^([a-z_]+):(?:\s+(.*?))?\s*$/.exec(line) ?? [];
  if (name === undefined) return "is not of the form 'name: value'.";
  if (read.fields.has(name)) return `has '${name}' for the second time.`;
  read.list = rest === '' ? [] : undefined;
  const value = read.list === undefined ? valueOf(rest) : { is: read.list };
  if (value === undefined) return `has a value of '${name}' that cannot be read.`;
  read.fields.set(name, value.is);
  return undefined;
}

function readItem(read: Reading, item: string): string | undefined {
  const value = valueOf(item);
  if (read.list === undefined || value === undefined) return 'is no list item.';
  read.list.push(value.is);
  return undefined;
}

/** JSON where it begins as JSON does, else the words themselves. */
function valueOf(text: string): { readonly is: unknown } | undefined {
  const word = text.trim();
  if (/^["[{]/.test(word) || /^-?\d+$/.test(word)) {
    try {
      return { is: JSON.parse(word) as unknown };
    } catch {
      return undefined;
    }
  }
  // What YAML would take for something else than these very words.
  if (/^['&*!|>%@`,\]}?#-]|: |\s#/.test(word) || word === '') return undefined;
  return { is: word };
}

/** Valid YAML 1.2 and what {@link parseFrontMatter} reads. */
export function renderFrontMatter(fields: Readonly<Record<string, unknown>>, body: string): string {
  const lines = Object.entries(fields).flatMap(([name, value]) => {
    if (!Array.isArray(value)) return [`${name}: ${JSON.stringify(value)}`];
    if (value.length === 0) return [`${name}: []`];
    return [`${name}:`, ...value.map((item) => `  - ${JSON.stringify(item)}`)];
  });
  return [FENCE, ...lines, FENCE, '', body].join('\n');
}
