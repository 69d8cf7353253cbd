import { operationOf } from '../wire/checked-client.ts';
import { answerErrors, envelopeErrors } from '../wire/wire.ts';
import type { Hostile } from './mutations.ts';
import type { RawAnswer } from './send.ts';

/**
 * What is wrong with an answer: a status of ours, an envelope that is none, a field that is not named,
 * a good answer that is not as declared.
 */
export function faultsOf(hostile: Hostile, { status, headers, text }: RawAnswer): string[] {
  const { method } = hostile.request;
  // Headers of more than 16 kB are refused by whatever speaks HTTP, before the API.
  if (status === 431) return [];
  if (status >= 500) return [`status ${status}: ${text.slice(0, 300)}`];
  // The gateway's own answers have its own ids.
  const request_id = headers['request-id'];
  const faults = /^(req_\w+|[0-9a-f-]{36}$)/.test(String(request_id))
    ? []
    : [`no request-id (${String(request_id)})`];
  // Preflights are the gateway's own, and HEAD has no body.
  if (method === 'OPTIONS') return status === 204 ? [] : faults;
  if (method === 'HEAD') return faults;
  return [
    ...faults,
    ...(status >= 400
      ? refusalFaults(hostile, { status, headers, text })
      : goodFaults(hostile, text)),
  ];
}

function refusalFaults(hostile: Hostile, { status, headers, text }: RawAnswer): string[] {
  const type = headers['content-type'] ?? 'none';
  if (!type.startsWith('application/json')) return [`content-type ${type}`];
  return [...envelopeOf(text, String(headers['request-id'])), ...unnamed(hostile, status, text)];
}

/** What is accepted after all is answered as the SDK declares it. */
function goodFaults({ request: { method, target } }: Hostile, text: string): string[] {
  const [path = ''] = target.split('?');
  const answer = operationOf(method, path)?.answer;
  if (answer === undefined || answer.kind === 'stream' || answer.kind === 'binary') return [];
  return answerErrors(answer, JSON.parse(text));
}

function envelopeOf(text: string, request_id: string): string[] {
  try {
    return envelopeErrors(JSON.parse(text), request_id);
  } catch {
    return [`no JSON: ${text.slice(0, 200)}`];
  }
}

/** One thing of the body is wrong: the message says which, or whose, or quotes it. */
function unnamed({ field }: Hostile, status: number, text: string): string[] {
  if (field === undefined || status !== 400) return [];
  const { message } = (JSON.parse(text) as { error: { message: string } }).error;
  const names = field.filter((name) => !/^\d+$/.test(name));
  return names.some((name) => message.includes(name))
    ? []
    : [`names no field: ${message.slice(0, 300)}`];
}
