import type { Call } from '../core/call.ts';
import { Fault } from '../core/fault.ts';
import type { Ports } from '../core/ports.ts';
import { dreamObject } from '../dreams/dream.ts';
import { readDream } from '../dreams/dreams.ts';
import type { ReportQuery } from './review-wire.ts';

const forms = {
  json: { name: 'report.json', type: 'application/json' },
  markdown: { name: 'report.md', type: 'text/markdown; charset=utf-8' },
} as const;

/**
 * What a dream has said of itself when it ended, as it stands in the bucket: with the diffs of a whole
 * store it can be larger than a buffered answer.
 *
 * @throws Fault `missing`, also for a dream that has come to no report (yet)
 */
export async function readReport(ports: Ports, call: Call, id: string, { format }: ReportQuery) {
  const { status } = await readDream(ports.table, call, id);
  const { name, type } = forms[format];
  // It is put before a dream completes.
  if (status !== 'completed') {
    throw new Fault('missing', `dream '${id}' is ${status} and has no report.`);
  }
  return { headers: { 'content-type': type }, chunks: ports.blobs.read(dreamObject(id, name)) };
}
