import type { MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';
import { lastText, type ModelRequest } from '../../model/model.ts';
import { call, type Reply } from '../../model/replies.ts';

/** A user's message that a scripted dreamer makes a lesson of: `LESSON about kettles: descale them.` */
const LESSON = /LESSON about ([^:\n]+): ([^\n]+)/;

/** A transcript's events as they are shown: `<event-… id="…" …>` and the text. */
const EVENT = /<event-\S+ id="(\S+)"[^>]* by="user"[^>]*>\n([^<]*)/g;

/** What the model is asked to call. */
export function toolOf({ body }: ModelRequest): string {
  const [tool] = body.tools ?? [];
  return tool !== undefined && 'name' in tool ? tool.name : '';
}

/**
 * A dreamer by rule: each user's message that names a lesson becomes one, each lesson a note, or
 * the new text of the memory that is about the same.
 */
export function dreamed(request: ModelRequest): Reply | undefined {
  switch (toolOf(request)) {
    case 'submit_lessons':
      return call('submit_lessons', { lessons: lessonsIn(request.body) });
    case 'submit_operations':
      return call('submit_operations', { operations: operationsIn(request.body) });
    case 'submit_verdict':
      return call('submit_verdict', { verdict: 'keep', reason: 'It is what the quote says.' });
    case 'submit_questions':
      return call('submit_questions', {
        questions: [{ n: 1, question: 'What?', expected: 'That.' }],
      });
    case 'submit_answers':
      return call('submit_answers', { answers: [{ n: 1, answer: 'That.' }] });
    case 'submit_marks':
      return call('submit_marks', { marks: [{ n: 1, a_right: true, b_right: true }] });
    default:
      return undefined;
  }
}

function lessonsIn(body: MessageCreateParams): object[] {
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
      loser: known.text.trim(),
      ...common,
    };
  });
}

function shown<Item>(text: string, name: string): Item[] {
  const [, json = '[]'] = new RegExp(`<${name}-\\S+>\\n([\\s\\S]*?)\\n</${name}-`).exec(text) ?? [];
  return JSON.parse(json) as Item[];
}
