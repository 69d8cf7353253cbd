import MiniSearch from 'minisearch';
import { limits } from '../core/limits.ts';
import { termsOf } from '../memory-history/words.ts';
import { meansSomething } from '../dreams/likeness.ts';
import type { PlaybookFacts } from './playbook.ts';

/** What a choice is made by. */
export interface Choosable {
  readonly facts: Pick<PlaybookFacts, 'title' | 'situation' | 'helpful' | 'harmful'>;
  readonly steps: string;
}

/** A shorter word stands for itself; of a longer one, forms and slips are met as well. */
const FUZZY_CHARS_MIN = 6;

/** One word in common is chance. */
const TERMS_MIN = 2;

/**
 * The few playbooks whose situation fits what a session is asked, by BM25, the best first. What has
 * less than two telling words of title and situation in common with it is none of them, however
 * few playbooks there are; of equal ones, the one that has helped more comes first.
 */
export function choosePlaybooks<Playbook extends Choosable>(
  asked: string,
  playbooks: readonly Playbook[],
): Playbook[] {
  const index = new MiniSearch<{ id: number; title: string; situation: string; steps: string }>({
    fields: ['title', 'situation', 'steps'],
    tokenize: (text) => termsOf(text).filter(meansSomething),
    processTerm: (term) => term,
  });
  index.addAll(
    playbooks.map(({ facts: { title, situation }, steps }, id) => ({
      id,
      title,
      situation,
      steps,
    })),
  );
  const found = index.search(asked.slice(0, limits.playbook_query_chars_max), {
    boost: { situation: 2, title: 2 },
    fuzzy: (term) => (term.length >= FUZZY_CHARS_MIN ? 0.2 : false),
  });
  return found
    .filter(({ match }) => Object.values(match).filter(speaksOfIt).length >= TERMS_MIN)
    .flatMap(({ id, score }) => {
      const playbook = playbooks[Number(id)];
      return playbook === undefined ? [] : [{ playbook, score, place: Number(id) }];
    })
    .toSorted(
      (a, b) => b.score - a.score || gainOf(b.playbook) - gainOf(a.playbook) || a.place - b.place,
    )
    .slice(0, limits.playbooks_offered_max)
    .map(({ playbook }) => playbook);
}

/** The steps alone do not say when they are good for something. */
function speaksOfIt(fields: readonly string[]): boolean {
  return fields.includes('title') || fields.includes('situation');
}

function gainOf({ facts }: Choosable): number {
  return facts.helpful - facts.harmful;
}
