import { limits } from '../core/limits.ts';
import { blocksOf, type Block } from './rubric-blocks.ts';

/** One thing that a rubric asks for. */
export interface Criterion {
  /** `c1`, `c2`, … in the rubric's order: the same for the same rubric. */
  readonly id: string;
  /** What it stands under: headings, the list's introduction, the items around it. */
  readonly under: readonly string[];
  /** In the rubric's words. */
  readonly text: string;
}

interface Section {
  readonly title: string | undefined;
  readonly level: number;
  readonly blocks: Exclude<Block, { kind: 'heading' }>[];
  readonly sections: Section[];
}

type Found = Omit<Criterion, 'id'>;

/**
 * The criteria of a Markdown rubric:
 * - each item of a list and each row of a table is one; an item that ends with a colon only
 *   introduces those below it;
 * - in a section without them each paragraph is one, when no deeper section follows;
 * - a heading with nothing below it is one.
 *
 * Other paragraphs explain: the grader reads them in the rubric. A rubric of more than
 * `limits.criteria_max` has its last ones joined, never dropped.
 *
 * @returns at least one, unless the rubric is blank.
 */
export function criteriaOf(rubric: string): Criterion[] {
  if (rubric.trim() === '') return [];
  const found = inSection(sectionsOf(blocksOf(rubric)), []).filter(
    ({ text }) => text.trim() !== '',
  );
  const all = found.length === 0 ? [{ under: [], text: rubric.trim() }] : bounded(found);
  return all.map((criterion, index) => ({ id: `c${index + 1}`, ...criterion }));
}

function bounded(found: readonly Found[]): readonly Found[] {
  const { criteria_max } = limits;
  if (found.length <= criteria_max) return found;
  const rest = found.slice(criteria_max - 1);
  const text = rest.map(({ under, text: own }) => [...under, own].join(' › ')).join('\n');
  return [...found.slice(0, criteria_max - 1), { under: [], text }];
}

function sectionsOf(blocks: readonly Block[]): Section {
  const root: Section = { title: undefined, level: 0, blocks: [], sections: [] };
  const open = [root];
  for (const block of blocks) {
    if (block.kind !== 'heading') {
      (open.at(-1) ?? root).blocks.push(block);
      continue;
    }
    while ((open.at(-1)?.level ?? 0) >= block.level) open.pop();
    const section = { title: block.text, level: block.level, blocks: [], sections: [] };
    (open.at(-1) ?? root).sections.push(section);
    open.push(section);
  }
  return root;
}

function inSection(section: Section, above: readonly string[]): Found[] {
  const { title, blocks, sections } = section;
  const under = title === undefined ? above : [...above, title];
  const is_listed = blocks.some(({ kind }) => kind !== 'paragraph');
  const below = sections.flatMap((inner) => inSection(inner, under));
  if (is_listed) return [...inLists(blocks, under), ...below];
  if (sections.length > 0) return below;
  if (blocks.length > 0) return inParagraphs(blocks, under);
  return title === undefined ? [] : [{ under: above, text: title }];
}

function inLists(blocks: Section['blocks'], under: readonly string[]): Found[] {
  const found: Found[] = [];
  let lead: readonly string[] = [];
  let around: { readonly indent: number; readonly text: string }[] = [];
  for (const [index, block] of blocks.entries()) {
    if (block.kind !== 'item') {
      around = [];
      if (block.kind === 'paragraph') lead = introduces(block.text) ? [block.text] : [];
      else found.push({ under: [...under, ...lead], text: block.text });
      continue;
    }
    around = around.filter(({ indent }) => indent < block.indent);
    const next = blocks[index + 1];
    const has_items = next?.kind === 'item' && next.indent > block.indent;
    if (!(has_items && introduces(block.text))) {
      const path = [...under, ...lead, ...around.map(({ text }) => text)];
      found.push({ under: path, text: block.text });
    }
    around.push(block);
  }
  return found;
}

/** A paragraph that ends with a colon goes with what it introduces. */
function inParagraphs(blocks: Section['blocks'], under: readonly string[]): Found[] {
  const texts: string[] = [];
  for (const { text } of blocks) {
    const last = texts.at(-1);
    if (last !== undefined && introduces(last)) texts.splice(-1, 1, `${last}\n${text}`);
    else texts.push(text);
  }
  return texts.map((text) => ({ under, text }));
}

function introduces(text: string): boolean {
  return /[:：]\**\s*$/.test(text);
}
