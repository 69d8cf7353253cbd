import { configKey, type SessionConfig } from '../sessions/session.ts';
import type { PlacedLine } from '../threads/log.ts';
import { threadKey, type ThreadHead } from '../threads/thread.ts';
import { exportSpans } from '../traces/export-spans.ts';
import { keepTranscript } from '../transcripts/keep-transcript.ts';
import type { TurnPorts } from './turn-ports.ts';

type TranscriptPorts = Pick<
  TurnPorts,
  'table' | 'blobs' | 'clock' | 'observe' | 'transcript_days' | 'manifests' | 'spans'
>;

/**
 * Write down a thread that has come to rest, and send its spans where they are wanted. Its client has been told already and waits for nothing
 * here, so what fails is told and left to the thread's next rest.
 */
export async function transcribe(
  ports: TranscriptPorts,
  head: ThreadHead,
  config: SessionConfig,
  written?: readonly PlacedLine[],
): Promise<void> {
  if (head.status === 'running' || head.status === 'rescheduling') return;
  try {
    await keepTranscript(ports, config, head, written);
  } catch (error) {
    ports.observe({ type: 'transcript_lost', message: String(error) });
  }
  if (ports.spans === undefined) return;
  try {
    await exportSpans(ports, ports.spans, head, config);
  } catch (error) {
    ports.observe({ type: 'spans_lost', message: String(error) });
  }
}

/**
 * This execution's run is over: when it died between the rest and its transcript, the machine
 * repeats the step, and the transcript is made good here. A newer run writes it with its own.
 */
export async function catchUp(
  ports: TranscriptPorts,
  run: { readonly session_id: string; readonly thread_id: string; readonly run: number },
): Promise<void> {
  const rows = await ports.table.getMany([threadKey(run.thread_id), configKey(run.session_id)]);
  const [head, config] = rows as unknown as [ThreadHead?, SessionConfig?];
  if (head?.run !== run.run || config === undefined) return;
  await transcribe(ports, head, config);
}
