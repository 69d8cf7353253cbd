/** One element without its children's structure: for parts whose elements do not nest in themselves. */
export interface Element {
  readonly attributes: string;
  readonly body: string;
}

/** A part of an office document as text, its elements without their namespaces. */
export function xmlOf(part: Uint8Array | undefined): string {
  return new TextDecoder().decode(part).replaceAll(/<(\/?)[A-Za-z][\w.-]*:/g, '<$1');
}

/** The elements of a name, in order. By index, not by pattern: time grows with the text only. */
export function* elementsOf(xml: string, name: string): Generator<Element> {
  let at = 0;
  for (;;) {
    at = xml.indexOf(`<${name}`, at);
    const open_end = xml.indexOf('>', at);
    if (at === -1 || open_end === -1) return;
    const begins = at + name.length + 1;
    at = open_end + 1;
    if (!' \t\r\n/>'.includes(xml.charAt(begins))) continue;
    const attributes = xml.slice(begins, open_end);
    if (attributes.endsWith('/')) {
      yield { attributes, body: '' };
      continue;
    }
    const close = xml.indexOf(`</${name}>`, at);
    if (close === -1) return;
    yield { attributes, body: xml.slice(at, close) };
    at = close + name.length + 3;
  }
}

/** An attribute's value, without its namespace. */
export function attributeOf({ attributes }: Element, name: string): string | undefined {
  const found = new RegExp(`(?:^|[\\s:])${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(attributes);
  const value = found?.[1] ?? found?.[2];
  return value === undefined ? undefined : decoded(value);
}

const named: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
};

/** Text with its character references resolved. */
export function decoded(text: string): string {
  return text.replaceAll(/&(#x[\da-f]{1,6}|#\d{1,7}|[a-z]{2,4});/gi, (whole, body: string) => {
    if (!body.startsWith('#')) return named[body] ?? whole;
    const code = body[1] === 'x' ? parseInt(body.slice(2), 16) : Number(body.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** How deep elements stand in each other at most; one that is not closed counts for all behind it. */
export function depthOf(xml: string): number {
  let depth = 0;
  let deepest = 0;
  for (let at = xml.indexOf('<'); at !== -1; at = xml.indexOf('<', at + 1)) {
    const next = xml.charAt(at + 1);
    if (next === '/') depth -= 1;
    else if (next !== '?' && next !== '!') {
      const end = xml.indexOf('>', at);
      if (end === -1) return deepest;
      if (xml.charAt(end - 1) !== '/') depth += 1;
      deepest = Math.max(deepest, depth);
    }
  }
  return deepest;
}
