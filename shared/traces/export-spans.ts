import * as z from 'zod';
import type { Blobs } from '../core/blobs.ts';
import { load, type Stored } from '../core/stored.ts';
import { ConditionFailed, type Row, type Table } from '../core/table.ts';
import { limits } from '../core/limits.ts';
import type { SessionConfig } from '../sessions/session.ts';
import { loadEvent, walkLog, type PlacedLine } from '../threads/log.ts';
import type { ThreadHead } from '../threads/thread.ts';
import type { SpanSink } from './otlp.ts';
import { spanIdOf, spanned, Spans, type OpenCall } from './spans.ts';

export interface SpanExport {
  readonly sink: SpanSink;
  /** `gen_ai.provider.name` */
  readonly provider: string;
}

interface ExportPorts {
  readonly table: Table;
  readonly blobs: Blobs;
}

/** `THREAD#<id>` / `SPANS`: up to which event spans have been sent, and what was open there. */
interface SentRow extends Row {
  readonly through: number;
  readonly open: readonly OpenCall[];
}

function sentKey({ pk }: ThreadHead) {
  return { pk, sk: 'SPANS' };
}

/**
 * Send what a thread that has come to rest did since spans of it were last sent. Runs twice, or dies
 * between the request and the row: the same spans are sent again, under the same ids. What fails is
 * left to the thread's next rest.
 *
 * @throws Error of the endpoint; the session knows nothing of it
 */
export async function exportSpans(
  ports: ExportPorts,
  { sink, provider }: SpanExport,
  head: ThreadHead,
  config: SessionConfig,
): Promise<void> {
  const { session_id, thread_id, agent_name, seq } = head;
  const sent = (await ports.table.get(sentKey(head))) as SentRow | undefined;
  const after = sent?.through ?? 0;
  if (after >= seq) return;
  const model_id = await modelOf(ports, head, config);
  const traced = { session_id, thread_id, agent_name, model_id, provider };
  const spans = new Spans(traced, sent?.open ?? []);
  for await (const page of walkLog(ports.table, thread_id, { after, through: seq })) {
    const wanted = page.filter(({ type }) => spanned.has(type));
    for (const line of wanted) {
      const event = await loadEvent(ports.blobs, line);
      const is_told = event.type === 'agent.thread_message_received' && isChild(head);
      spans.add(event, is_told ? await senderOf(ports, event, line) : undefined);
    }
    await flush(sink, spans, limits.otlp_spans_max);
  }
  await flush(sink, spans, 1);
  await remember(ports.table, head, after, spans.open);
}

/** Send what is complete, in requests of a bounded size, while there is at least so much. */
async function flush(sink: SpanSink, { done }: Spans, least: number): Promise<void> {
  while (done.length >= least) await sink.send(done.splice(0, limits.otlp_spans_max));
}

async function remember(
  table: Table,
  head: ThreadHead,
  after: number,
  open: readonly OpenCall[],
): Promise<void> {
  const row: SentRow = { ...sentKey(head), through: head.seq, open };
  const condition = 'attribute_not_exists(pk) OR through = :after';
  try {
    await table.transact([{ put: row, condition, values: { ':after': after } }]);
  } catch (error) {
    // Another invocation has sent the same, or more.
    if (!(error instanceof ConditionFailed)) throw error;
  }
}

function isChild({ parent_thread_id }: ThreadHead): boolean {
  return parent_thread_id !== undefined;
}

/**
 * The span of the turn that sent a message: the newest that had begun in the sender's log by then.
 * Both logs have the message by one transaction, so its time is theirs.
 */
async function senderOf(
  { table, blobs }: ExportPorts,
  { from_session_thread_id }: { readonly from_session_thread_id: string },
  { processed_at }: PlacedLine,
): Promise<string | undefined> {
  for await (const page of walkLog(table, from_session_thread_id, { reverse: true })) {
    for (const line of page) {
      if (line.type !== 'session.thread_status_running' || line.processed_at > processed_at)
        continue;
      const event = await loadEvent(blobs, line);
      if (event.type !== 'session.thread_status_running') continue;
      if (event.session_thread_id === from_session_thread_id) return spanIdOf(event.id);
    }
  }
  return undefined;
}

const Runs = z.object({ model: z.union([z.string(), z.object({ id: z.string() })]) });

/** The model that a thread runs on: of the session's own agent, or of the child's. */
async function modelOf(
  { table, blobs }: ExportPorts,
  head: ThreadHead,
  config: SessionConfig,
): Promise<string> {
  const member = isChild(head)
    ? await table.get({ pk: config.pk, sk: `T#${head.thread_id}` })
    : undefined;
  const stored = (member?.['agent'] as Stored<unknown> | undefined) ?? config.agent;
  const { model } = Runs.parse(await load<unknown>(blobs, stored));
  return typeof model === 'string' ? model : model.id;
}
