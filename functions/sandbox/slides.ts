import { attributeOf, decoded, elementsOf, xmlOf } from './xml.ts';
import type { Text } from './word.ts';
import type { Parts } from './zip.ts';

/**
 * The text of a .pptx, slide by slide as they are shown, with tables, charts' figures, diagrams and
 * the speaker's notes.
 *
 * By hand, because libraries for slides lay out pictures: they need a browser, and fail on files
 * that have no theme. All text of a slide stands in paragraphs `a:p` of runs `a:t`.
 */
export function slidesText(parts: Parts): Text {
  const rels = relationsOf(parts, 'ppt/presentation.xml');
  const ids = [...elementsOf(xmlOf(parts.get('ppt/presentation.xml')), 'sldId')].flatMap(
    ({ attributes }) => /:id\s*=\s*["']([^"']+)/.exec(attributes)?.[1] ?? [],
  );
  const paths = ids.flatMap((id) => rels.get(id) ?? []);
  const slides = paths.map((path, index) => slideText(parts, path, index + 1));
  return {
    text: slides.join('\n\n'),
    notes: [
      `Converted from ${slides.length} slides: text, tables, figures of charts and speaker's notes; pictures and layout are not shown.`,
    ],
  };
}

function slideText(parts: Parts, path: string, n: number): string {
  const xml = xmlOf(parts.get(path));
  const hidden = /<sld\b[^>]*\bshow\s*=\s*"(0|false)"/.test(xml.slice(0, 4_096)) ? ' (hidden)' : '';
  const targets = [...relationsOf(parts, path).values()];
  const beside = (folder: string): string[] =>
    targets.filter((target) => target.startsWith(`ppt/${folder}/`));
  const notes = beside('notesSlides').flatMap((target) => paragraphsOf(xmlOf(parts.get(target))));
  return [
    `## Slide ${n}${hidden}`,
    ...paragraphsOf(xml),
    ...beside('diagrams').flatMap((target) => paragraphsOf(xmlOf(parts.get(target)))),
    ...beside('charts').map((target) => `[chart: ${chartText(xmlOf(parts.get(target)))}]`),
    ...(notes.length > 0 ? ['Notes:', ...notes] : []),
  ].join('\n');
}

/** Its paragraphs; a row of a table is one line. */
function paragraphsOf(xml: string): string[] {
  return xml.split('</tr>').flatMap((chunk, index, chunks) => {
    const row_at = index === chunks.length - 1 ? -1 : chunk.lastIndexOf('<tr');
    if (row_at === -1) return linesOf(chunk);
    const cells = [...elementsOf(chunk.slice(row_at), 'tc')].map(({ body }) =>
      linesOf(body).join(' '),
    );
    return [...linesOf(chunk.slice(0, row_at)), `| ${cells.join(' | ')} |`];
  });
}

function linesOf(xml: string): string[] {
  return [...elementsOf(xml, 'p')]
    .map(({ body }) =>
      [...elementsOf(body.replaceAll(/<br\s*\/>/g, '<t> </t>'), 't')]
        .map((run) => decoded(run.body))
        .join(''),
    )
    .filter((line) => line.trim() !== '');
}

/** A chart keeps the texts and values that it was last drawn from. */
function chartText(xml: string): string {
  const said = paragraphsOf(xml);
  const values = [...elementsOf(xml, 'v')].map(({ body }) => decoded(body));
  return [...said, ...values].join(', ');
}

/** Targets of a part's relations by their ids, as paths of the archive. */
export function relationsOf(parts: Parts, path: string): Map<string, string> {
  const cut = path.lastIndexOf('/');
  const folder = path.slice(0, cut);
  const rels = xmlOf(parts.get(`${folder}/_rels/${path.slice(cut + 1)}.rels`));
  return new Map(
    [...elementsOf(rels, 'Relationship')].map((element): [string, string] => {
      const target = attributeOf(element, 'Target') ?? '';
      const { pathname } = new URL(target, `file:///${folder}/`);
      return [attributeOf(element, 'Id') ?? '', decodeURIComponent(pathname).slice(1)];
    }),
  );
}
