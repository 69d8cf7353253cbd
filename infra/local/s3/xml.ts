/** An element with its children: text, elements, or a list of elements of the same name. */
export type XmlValue = string | number | boolean | XmlTree | readonly (string | XmlTree)[];
export interface XmlTree {
  readonly [name: string]: XmlValue | undefined;
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** Write a tree as S3 does. Characters that XML 1.0 cannot hold are sent as references. */
export function writeXml(root: string, tree: XmlTree): string {
  const namespace = root === 'Error' ? '' : ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace}>${children(tree)}</${root}>`;
}

function children(tree: XmlTree): string {
  return Object.entries(tree)
    .flatMap(([name, value]) => {
      if (value === undefined) return [];
      const each = Array.isArray(value) ? value : [value];
      return each.map((one: XmlValue) => `<${name}>${content(one)}</${name}>`);
    })
    .join('');
}

function content(value: XmlValue): string {
  if (typeof value === 'object') return children(value as XmlTree);
  // oxlint-disable-next-line no-control-regex -- these are the ones to escape
  return String(value).replaceAll(/[&<>"\u0000-\u001f]/g, (character) => {
    return escapes[character] ?? `&#${character.charCodeAt(0)};`;
  });
}

/** The text of every `<name>…</name>` in a request, unescaped. Enough for the bodies that S3 takes. */
export function readXml(xml: string, name: string): string[] {
  const found = xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g'));
  return [...found].map(([, inner = '']) => inner);
}

export function unescapeXml(text: string): string {
  return text.replaceAll(/&(#x?[0-9a-fA-F]+|amp|lt|gt|quot|apos);/g, (_, entity: string) => {
    if (entity.startsWith('#x')) return String.fromCodePoint(Number.parseInt(entity.slice(2), 16));
    if (entity.startsWith('#')) return String.fromCodePoint(Number(entity.slice(1)));
    return { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }[entity] ?? '';
  });
}
