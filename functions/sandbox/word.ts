import { ToolFailure } from './file-tools.ts';
import { decoded, depthOf, xmlOf } from './xml.ts';
import { stored, type Parts } from './zip.ts';

/** What a reader must know of a conversion beside its text. */
export interface Text {
  readonly text: string;
  readonly notes: readonly string[];
}

/** Word's own documents stay under thirty; the parser slows down with each level. */
const DEPTH_MAX = 200;

/** The text of a .docx: headings, lists, tables, notes and comments. */
export async function wordText(parts: Parts): Promise<Text> {
  for (const part of parts.values()) {
    if (depthOf(xmlOf(part)) > DEPTH_MAX) throw new ToolFailure('its parts are nested too deeply');
  }
  const { default: mammoth } = await import('mammoth');
  const { value } = await mammoth.convertToHtml(
    { buffer: stored(parts) },
    {
      // Comments are left out unless they have a style.
      styleMap: ['comment-reference => sup'],
      // Their bytes are not here, and would be no text.
      convertImage: mammoth.images.imgElement(async () => ({ src: '' })),
    },
  );
  return {
    text: textOfHtml(value),
    notes: [
      'Converted from a Word document: pictures stand as [picture]; headers, footers, page layout and fonts are not shown; tracked changes are shown as accepted.',
    ],
  };
}

/** What begins where a tag stands. */
const shown: Readonly<Record<string, string>> = {
  p: '\n',
  '/p': '\n',
  br: '\n',
  tr: '\n| ',
  '/td': ' | ',
  '/th': ' | ',
  '/table': '\n',
  li: '\n- ',
  '/ul': '\n',
  '/ol': '\n',
  dt: '\n',
  dd: '\n',
  img: '[picture]',
  h1: '\n# ',
  h2: '\n## ',
  h3: '\n### ',
  h4: '\n#### ',
  h5: '\n##### ',
  h6: '\n###### ',
  '/h1': '\n',
  '/h2': '\n',
  '/h3': '\n',
  '/h4': '\n',
  '/h5': '\n',
  '/h6': '\n',
};

/** For the converter's own HTML only: it has no scripts, styles or comments. */
function textOfHtml(html: string): string {
  const lines = html
    // A paragraph in a cell would break its row.
    .replaceAll(/<(td|th|li)[^<>]*><p>/g, '<$1>')
    .replaceAll(/<\/p><\/(td|th|li)>/g, '</$1>')
    .replaceAll(/<(\/?[a-z][a-z0-9]*)[^<>]*>/g, (_, tag: string) => shown[tag] ?? '');
  return decoded(lines)
    .replaceAll(/[ \t]+\n/g, '\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}
