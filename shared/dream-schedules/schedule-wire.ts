import * as z from 'zod';
import { isId, type Noun } from '../core/id.ts';
import { limits } from '../core/limits.ts';
import { queryBoolean, queryInt } from '../core/parse.ts';
import { textUpTo } from '../core/text.ts';
import { TimeZone } from '../core/time-zone.ts';
import { processings } from '../dreams/dream.ts';
import { DreamModel } from '../dreams/dream-wire.ts';
import { EXPRESSION_CHARS_MAX, eventBridgeExpressions } from '../schedules/event-bridge.ts';
import { parseCron } from '../schedules/cron.ts';
import type { Retention, SessionChoice } from './schedule.ts';

const anId = (noun: Noun, what: string) =>
  z.string().refine((id) => isId(noun, id), `must be the id of ${what}.`);

const Expression = z
  .string()
  .max(limits.cron_chars_max)
  .superRefine((expression, context) => {
    const fields = parseCron(expression);
    if ('fault' in fields) return context.addIssue({ code: 'custom', message: fields.fault });
    const is_long = eventBridgeExpressions(fields).some(
      (text) => text.length > EXPRESSION_CHARS_MAX,
    );
    if (!is_long) return;
    const message = 'names too many single times for EventBridge Scheduler. Use ranges.';
    context.addIssue({ code: 'custom', message });
  });

/** As the schedule of a deployment is written. */
const Schedule = z
  .strictObject({ type: z.literal('cron'), expression: Expression, timezone: TimeZone })
  .transform(({ expression, timezone }) => ({
    expression: expression.trim().split(/\s+/).join(' '),
    timezone,
  }));

const Sessions = z
  .strictObject({
    agent_id: anId('agent', 'an agent').nullish(),
    statuses: z
      .array(z.enum(['idle', 'running', 'rescheduling', 'terminated']))
      .min(1)
      .nullish(),
    outcome_results: z
      .array(z.enum(['satisfied', 'max_iterations_reached', 'failed', 'interrupted']))
      .min(1)
      .nullish(),
    max_age_days: z.int().min(1).max(limits.schedule_age_days_max).nullish(),
    only_new: z.boolean().nullish(),
  })
  .transform((given): SessionChoice => ({
    agent_id: given.agent_id ?? null,
    // What still runs is read when it has come to rest.
    statuses: unique(given.statuses ?? ['idle', 'terminated']),
    outcome_results: given.outcome_results ? unique(given.outcome_results) : null,
    max_age_days: given.max_age_days ?? limits.schedule_age_days_default,
    only_new: given.only_new ?? true,
  }));

function unique<Item>(items: readonly Item[]): Item[] {
  return [...new Set(items)];
}

const Days = z.int().min(limits.retention_days_min).max(limits.retention_days_max).nullish();

const RetentionGiven = z
  .strictObject({ notes_days: Days, playbooks_days: Days, reviews_days: Days, copies_days: Days })
  .transform((given): Retention => ({
    notes_days: given.notes_days ?? null,
    playbooks_days: given.playbooks_days ?? null,
    reviews_days: given.reviews_days ?? null,
    copies_days: given.copies_days ?? null,
  }));

const FederationGiven = z.strictObject({
  memory_store_ids: z
    .array(anId('memory_store', 'a memory store'))
    .min(1)
    .max(limits.schedule_stores_max)
    .refine((ids) => new Set(ids).size === ids.length, 'must not name a store twice.'),
});

const Name = textUpTo(limits.name_chars_max).min(1);
const Instructions = textUpTo(limits.dream_instructions_chars_max).min(1);
const Mode = z.enum(['review', 'auto']);
const ProcessingGiven = z.enum(processings);

const all_sessions: SessionChoice = Sessions.parse({});
const no_retention: Retention = RetentionGiven.parse({});

/** A store is not federated with itself: the copies would be the originals. */
const notItself = {
  path: ['federation', 'memory_store_ids'],
  message: 'must not name the memory store of the schedule itself.',
};

export const ScheduleCreate = z
  .strictObject({
    name: Name,
    schedule: Schedule,
    memory_store_id: anId('memory_store', 'a memory store'),
    sessions: Sessions.nullish(),
    model: DreamModel,
    instructions: Instructions.nullish(),
    mode: Mode.default('review'),
    processing: ProcessingGiven.nullish(),
    retention: RetentionGiven.nullish(),
    federation: FederationGiven.nullish(),
  })
  .refine(
    ({ memory_store_id, federation }) =>
      federation?.memory_store_ids.includes(memory_store_id) !== true,
    notItself,
  )
  .transform(({ sessions, processing, instructions, retention, federation, ...rest }) => ({
    ...rest,
    processing: processing ?? 'standard',
    sessions: sessions ?? all_sessions,
    instructions: instructions ?? null,
    retention: retention ?? no_retention,
    federation: federation ?? null,
  }));
export type ScheduleCreate = z.output<typeof ScheduleCreate>;

/** What is left out stays; what is given replaces the whole field, null takes it back to its default. */
export const ScheduleUpdate = z
  .strictObject({
    name: Name.exactOptional(),
    schedule: Schedule.exactOptional(),
    sessions: Sessions.nullable().exactOptional(),
    model: DreamModel.exactOptional(),
    instructions: Instructions.nullable().exactOptional(),
    mode: Mode.exactOptional(),
    processing: ProcessingGiven.nullable().exactOptional(),
    retention: RetentionGiven.nullable().exactOptional(),
    federation: FederationGiven.nullable().exactOptional(),
  })
  .transform(({ sessions, processing, retention, ...rest }) => ({
    ...rest,
    ...(processing === undefined ? {} : { processing: processing ?? 'standard' }),
    ...(sessions === undefined ? {} : { sessions: sessions ?? all_sessions }),
    ...(retention === undefined ? {} : { retention: retention ?? no_retention }),
  }));
export type ScheduleUpdate = z.output<typeof ScheduleUpdate>;

const paging = {
  limit: queryInt(1, limits.page_max).default(limits.page_default),
  page: z.string().optional(),
};

export const ScheduleListQuery = z.strictObject({
  ...paging,
  memory_store_id: z.string().optional(),
  include_archived: queryBoolean.default(false),
});
export type ScheduleListQuery = z.output<typeof ScheduleListQuery>;

export const RunListQuery = z.strictObject(paging);
export type RunListQuery = z.output<typeof RunListQuery>;
