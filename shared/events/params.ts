import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { parseBody } from '../core/parse.ts';
import { textUpTo } from '../core/text.ts';
import { tooManyFiles } from './file-sources.ts';

/** Refuse one member of a union by its name, with the reason. */
function refused<const Type extends string>(type: Type, reason: string) {
  return z.looseObject({ type: z.literal(type) }).transform((_value, context): never => {
    context.addIssue({ code: 'custom', message: reason });
    return z.NEVER;
  });
}

/**
 * Base64 that a model provider will accept: a bad one would be refused with every later request of
 * the session. A plain class and a length, because zod's own pattern overflows the stack on megabytes.
 */
const base64 = z
  .string()
  .min(1)
  .max(limits.source_chars_max, `must be at most ${limits.source_chars_max} characters of base64.`)
  .refine(
    (text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
    'must be base64 with padding.',
  );

const url = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL.' })
  .max(limits.url_chars_max);

/** Whether it is there, and fits its block, is looked up before the event is taken. */
const fileSource = z.strictObject({ type: z.literal('file'), file_id: z.string().min(1).max(128) });

const textBlock = z.strictObject({
  type: z.literal('text'),
  text: z.string().min(1).max(limits.source_chars_max),
});

/**
 * A request leaves blank texts out, for a provider refuses them: with nothing else in it, a message
 * would be none, and the turn that it starts could not be asked.
 */
function saysSomething(
  blocks: readonly { readonly type: string; readonly text?: string }[],
): boolean {
  return blocks.some(({ type, text = '' }) => type !== 'text' || text.trim() !== '');
}

const says_nothing = 'has nothing but blank text. Say something, or leave the event out.';

/** A tool may have printed nothing. */
const resultTextBlock = textBlock.extend({ text: z.string().max(limits.source_chars_max) });

const imageBlock = z.strictObject({
  type: z.literal('image'),
  source: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('base64'),
      data: base64,
      media_type: z.enum(['image/png', 'image/jpeg', 'image/gif', 'image/webp']),
    }),
    z.strictObject({ type: z.literal('url'), url }),
    fileSource,
  ]),
});

const documentBlock = z.strictObject({
  type: z.literal('document'),
  source: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('base64'),
      data: base64,
      media_type: z.enum(['application/pdf']),
    }),
    z.strictObject({
      type: z.literal('text'),
      data: z.string().min(1).max(limits.source_chars_max),
      media_type: z.literal('text/plain'),
    }),
    z.strictObject({ type: z.literal('url'), url }),
    fileSource,
  ]),
  title: z.exactOptional(z.string().nullable()),
  context: z.exactOptional(z.string().nullable()),
});

const searchResultBlock = z.strictObject({
  type: z.literal('search_result'),
  source: z.string().min(1),
  title: z.string(),
  content: z.array(textBlock).min(1),
  citations: z.strictObject({ enabled: z.boolean() }),
});

const userMessage = z.strictObject({
  type: z.literal('user.message'),
  content: z
    .array(
      z.discriminatedUnion('type', [
        textBlock,
        imageBlock,
        documentBlock,
        refused('redacted', 'redacted blocks are only read, never sent. Remove the block.'),
      ]),
    )
    .min(1)
    .max(limits.content_blocks_max)
    .refine(saysSomething, says_nothing),
});

const userInterrupt = z.strictObject({
  type: z.literal('user.interrupt'),
  session_thread_id: z.exactOptional(z.string().nullable()),
});

/** Ids of events are looked up later; here they only may not be absurd. */
const eventId = z.string().min(1).max(128);

const userToolConfirmation = z
  .strictObject({
    type: z.literal('user.tool_confirmation'),
    tool_use_id: eventId,
    result: z.enum(['allow', 'deny']),
    deny_message: z.exactOptional(textUpTo(limits.deny_message_chars_max).nullable()),
    // The server routes by tool_use_id; older clients send it back all the same.
    session_thread_id: z.exactOptional(z.string().nullable()),
  })
  .refine(({ result, deny_message }) => result === 'deny' || (deny_message ?? null) === null, {
    path: ['deny_message'],
    message: 'is allowed only when result is deny. Remove it.',
  });

const userCustomToolResult = z.strictObject({
  type: z.literal('user.custom_tool_result'),
  custom_tool_use_id: eventId,
  content: z.exactOptional(
    z
      .array(
        z.discriminatedUnion('type', [
          resultTextBlock,
          imageBlock,
          documentBlock,
          searchResultBlock,
        ]),
      )
      .max(limits.content_blocks_max),
  ),
  is_error: z.exactOptional(z.boolean().nullable()),
  session_thread_id: z.exactOptional(z.string().nullable()),
});

const systemMessage = z.strictObject({
  type: z.literal('system.message'),
  content: z
    .array(textBlock)
    .min(1)
    .max(limits.system_blocks_max)
    .refine(saysSomething, says_nothing),
});

const defineOutcome = z.strictObject({
  type: z.literal('user.define_outcome'),
  description: textUpTo(limits.outcome_description_chars_max).refine(
    (said) => said.trim() !== '',
    'must not be blank.',
  ),
  rubric: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('text'),
      content: textUpTo(limits.rubric_chars_max).refine(
        (said) => said.trim() !== '',
        'must not be blank.',
      ),
    }),
    fileSource,
  ]),
  max_iterations: z
    .int()
    .min(1)
    .max(limits.outcome_iterations_max)
    .nullish()
    .transform((count) => count ?? limits.outcome_iterations_default),
});

function checkOutcomes(events: readonly { type: string }[], context: z.RefinementCtx): void {
  const second = events.filter(({ type }) => type === 'user.define_outcome')[1];
  if (second === undefined) return;
  context.addIssue({
    code: 'custom',
    path: [events.indexOf(second)],
    message: 'a request has at most one user.define_outcome: a session works for one at a time.',
  });
}

const sendEvent = z.discriminatedUnion('type', [
  userMessage,
  userInterrupt,
  userToolConfirmation,
  userCustomToolResult,
  systemMessage,
  defineOutcome,
  refused(
    'user.tool_result',
    'user.tool_result is only for sessions of self_hosted environments; in a cloud environment the platform runs the tools.',
  ),
]);

function checkFileBlocks(events: readonly object[], context: z.RefinementCtx): void {
  const message = tooManyFiles(events);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
}

/** A system message stands at the end, behind what it goes with. */
const send = z.strictObject({
  events: z
    .array(sendEvent)
    .min(1)
    .max(limits.send_events_max)
    .superRefine(checkFileBlocks)
    .superRefine(checkOutcomes)
    .superRefine((events, context) => {
      const at = events.findIndex(({ type }) => type === 'system.message');
      if (at === -1) return;
      const before = events[at - 1]?.type;
      if (at !== events.length - 1) {
        context.addIssue({
          code: 'custom',
          path: [at],
          message: 'a request has at most one system.message, and it is the last event.',
        });
      } else if (
        before !== undefined &&
        before !== 'user.message' &&
        before !== 'user.custom_tool_result'
      ) {
        context.addIssue({
          code: 'custom',
          path: [at],
          message: 'a system.message stands alone or right after a user.message or a tool result.',
        });
      }
    }),
});

/** What a session may be created with. */
export const initialEvents = z
  .array(z.discriminatedUnion('type', [userMessage, defineOutcome]))
  .max(limits.send_events_max)
  .superRefine(checkFileBlocks)
  .superRefine(checkOutcomes);

/** An event as a client sends it, checked; it has no id yet. */
export type SendEvent = z.output<typeof sendEvent>;
export type InitialEvent = z.output<typeof initialEvents>[number];

/**
 * The events of `POST /v1/sessions/{session_id}/events`: 1 to 50, all valid or none.
 * What depends on the session's state (a message while an answer is due) is decided by the send.
 *
 * @throws Fault `invalid`
 */
export function parseSend(body: unknown): SendEvent[] {
  return parseBody(send, body).events;
}

/** @throws Fault `invalid` @see {@link initialEvents} for use inside another schema */
export function parseInitialEvents(value: unknown): InitialEvent[] {
  return parseBody(initialEvents, value);
}
