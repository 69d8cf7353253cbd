import { diceCoefficient } from 'dice-coefficient';
import { stemmer } from 'stemmer';
import { parsePlaybook } from '#shared/playbooks/playbook.ts';
import { splitTrailer } from '#shared/playbooks/trailer.ts';
import type { Fact } from './set/fidelity-set.ts';

/** From which likeness on two sentences are taken for the same one in other words: 0 to 1. */
export const LIKE_MIN = 0.5;

/** Passages longer than this are looked at in parts: in a long text every word stands somewhere. */
const PASSAGE_CHARS_MAX = 1_200;

/** One form for what people take for the same. */
export function normalised(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[\u2018\u2019\u201a\u2032`]/g, "'")
    .replaceAll(/[\u201c\u201d\u201e\u2033]/g, '"')
    .replaceAll(/[\u2010-\u2015\u2212]/g, '-')
    .replaceAll(/[*_]{2,}/g, '')
    .replaceAll(/\s+/g, ' ')
    .toLowerCase();
}

/**
 * What a memory says now: without the front matter that programs read, but for title and situation,
 * without sources and without what is kept as history.
 */
export function wordsOfMemory(text: string): string {
  const { body } = splitTrailer(text);
  const playbook = parsePlaybook(body);
  if ('fault' in playbook) return body;
  return [`# ${playbook.facts.title}`, playbook.facts.situation, playbook.body].join('\n\n');
}

/**
 * The passages of a memory, each of which can say something: every paragraph and list item under its
 * heading, and the whole where it is short.
 */
export function passagesOf(path: string, text: string): readonly string[] {
  const id = `${path}\n${text}`;
  const found = passages.get(id) ?? cut(path, text);
  passages.set(id, found);
  return found;
}

/** Remembered, since each memory is looked at for every fact. */
const passages = new Map<string, readonly string[]>();

function cut(path: string, text: string): string[] {
  const words = wordsOfMemory(text);
  const name = path.replaceAll(/[/._-]+/g, ' ');
  const parts: string[] = [];
  let heading = name;
  for (const block of words.split(/\n\s*\n|\n(?=\s*(?:[-*#]|\d+\.)\s)/)) {
    if (/^\s*#/.test(block)) heading = `${name} ${block}`;
    if (block.trim() !== '') parts.push(normalised(`${heading}\n${block}`));
  }
  if (words.length <= PASSAGE_CHARS_MAX) parts.push(normalised(`${name}\n${words}`));
  return parts;
}

/** Whether a passage, normalised, says something. */
export function passageSays(passage: string, { values, about, like }: Fact): boolean {
  if (!values.every((value) => holds(passage, value))) return false;
  return about.every((topic) => holds(passage, topic)) || likeness(passage, like) >= LIKE_MIN;
}

/** One of several forms, `a|b`; a form that begins or ends in a letter or digit stands by itself there. */
function holds(passage: string, forms: string): boolean {
  const all = alternatives.get(forms) ?? normalised(forms).split('|');
  alternatives.set(forms, all);
  return all.some((form) => form !== '' && standsIn(passage, form));
}

const alternatives = new Map<string, readonly string[]>();

const WORD = /[\p{L}\p{N}]/u;

function standsIn(passage: string, form: string): boolean {
  for (let at = passage.indexOf(form); at !== -1; at = passage.indexOf(form, at + 1)) {
    const before = passage[at - 1] ?? ' ';
    // What follows may be an ending: "approv" stands in "approved". A number has none.
    const after = passage[at + form.length] ?? ' ';
    const begins = !(WORD.test(before) && WORD.test(form[0] ?? ''));
    const ends = !(/\d$/.test(form) && /\d/.test(after));
    if (begins && ends) return true;
  }
  return false;
}

/** Sørensen–Dice over the stems of the sentence of a passage that is likest: 0 to 1. */
export function likeness(passage: string, sentence: string): number {
  const wanted = stemsOf(sentence);
  const all = passage.split(/(?<=[.;:!?])\s/).map(stemsOf);
  const scores = all
    .filter((stems) => stems.length + wanted.length > 0)
    .map((stems) => diceCoefficient([...stems], [...wanted]));
  return Math.max(0, ...scores);
}

const known = new Map<string, readonly string[]>();

/** The different words, each as its stem; remembered, since every passage is looked at many times. */
function stemsOf(text: string): readonly string[] {
  const found = known.get(text);
  if (found !== undefined) return found;
  const words = normalised(text).match(/[\p{L}\p{N}]+/gu) ?? [];
  const stems = [...new Set(words.map((word) => stemmer(word)))];
  known.set(text, stems);
  return stems;
}

export type Store = ReadonlyMap<string, string>;

/** The paths of the memories that say something. */
export function whoSays(store: Store, said: Fact): string[] {
  return [...store].flatMap(([path, text]) =>
    passagesOf(path, text).some((passage) => passageSays(passage, said)) ? [path] : [],
  );
}
