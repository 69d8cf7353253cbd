import type { MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';
import { lastText, type ModelRequest } from '../../model/model.ts';
import { answer, type Reply } from '../../model/replies.ts';

/** A user's message that a scripted dreamer makes a lesson of: `LESSON about kettles: descale them.` */
const LESSON = /LESSON about ([^:\n]+): ([^\n]+)/;

/** A transcript's events as they are shown: `<event-… id="…" …>` and the text. */
const EVENT = /<event-\S+ id="(\S+)"[^>]* by="user"[^>]*>\n([^<]*)/g;

/** The kinds of questions of a dream, by the titles of their answers' schemas. */
export type Asked = 'lessons' | 'operations' | 'verdicts' | 'questions' | 'answers' | 'marks';

/** What the model is asked for; undefined where it is no question of a dream. */
export function askedFor({ body }: ModelRequest): Asked | undefined {
  const schema = body.output_config?.format?.schema;
  return schema?.['title'] as Asked | undefined;
}

/**
 * A dreamer by rule: each user's message that names a lesson becomes one, each lesson a note, or
 * the new text of the memory that is about the same.
 */
export function dreamed(request: ModelRequest): Reply | undefined {
  switch (askedFor(request)) {
    case 'lessons':
      return answer({ lessons: lessonsIn(request.body) });
    case 'operations':
      return answer({ operations: operationsIn(request.body) });
    case 'verdicts':
      return verdictsOf(request, 'keep');
    case 'questions':
      return answer({
        questions: numbersIn(request.body).map((n) => ({
          n,
          question: 'What?',
          expected: 'That.',
        })),
      });
    case 'answers':
      return answer({ answers: numbersIn(request.body).map((n) => ({ n, answer: 'That.' })) });
    case 'marks':
      return answer({ marks: [] });
    case undefined:
      return undefined;
  }
}

/** The same verdict on every change. */
export function verdictsOf({ body }: ModelRequest, verdict: 'keep' | 'veto'): Reply {
  const reason = 'It is what the quote says.';
  return answer({ verdicts: numbersIn(body).map((n) => ({ n, verdict, reason })) });
}

/** The numbers of what is asked about. */
function numbersIn(body: MessageCreateParams): number[] {
  return [...lastText(body).matchAll(/^ +"n": (\d+)/gm)].map(([, n]) => Number(n));
}

/** The lessons that a request's transcripts name. */
export function lessonsIn(body: MessageCreateParams): object[] {
  const events = [...lastText(body).matchAll(EVENT)];
  return events.flatMap(([, event_id, text = '']) => {
    const [quote, situation, advice] = LESSON.exec(text) ?? [];
    if (quote === undefined) return [];
    const evidence = [{ event_id, quote }];
    return [{ kind: 'success', situation, advice, why: 'The user says so.', evidence }];
  });
}

interface ShownLesson {
  readonly id: string;
  readonly situation: string;
  readonly advice: string;
}

interface ShownMemory {
  readonly path: string;
  readonly text: string;
}

function operationsIn(body: MessageCreateParams): object[] {
  const text = lastText(body);
  const memories = shown<ShownMemory>(text, 'memories');
  return shown<ShownLesson>(text, 'lessons').map(({ id, situation, advice }) => {
    const common = { lessons: [id], reason: `A lesson about ${situation}.` };
    const known = memories.find((memory) => memory.text.includes(`${situation}:`));
    if (known === undefined) {
      return { op: 'add', format: 'note', title: situation, text: `${advice}\n`, ...common };
    }
    return {
      op: 'supersede',
      path: known.path,
      text: `${situation}: ${advice}\n`,
      // What code has written below is nobody's words.
      loser: known.text.replace(/<!--[^]*/, '').trim(),
      ...common,
    };
  });
}

function shown<Item>(text: string, name: string): Item[] {
  const [, json = '[]'] = new RegExp(`<${name}-\\S+>\\n([\\s\\S]*?)\\n</${name}-`).exec(text) ?? [];
  return JSON.parse(json) as Item[];
}
