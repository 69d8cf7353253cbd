import { newId } from '../core/id.ts';
import type { OpenCall } from '../threads/thread.ts';
import type { Line, SessionEvent } from './event.ts';

type ResultContent = NonNullable<Extract<SessionEvent, { type: 'agent.tool_result' }>['content']>;

/** A tool's answer in the log. */
export function resultLine(event_id: string, content: ResultContent, is_error: boolean): Line {
  return {
    event: {
      id: newId('event'),
      type: 'agent.tool_result',
      tool_use_id: event_id,
      content,
      is_error,
    },
  };
}

/** An answer that the platform gives in a tool's place. */
export function errorResult(event_id: string, text: string): Line {
  return resultLine(event_id, [{ type: 'text', text }], true);
}

/** A call that an interrupt has closed, run or not. Wording: api-behaviour 6.4. */
export function interruptedResult({ event_id }: OpenCall): Line {
  return errorResult(event_id, 'Tool execution was interrupted before completion. Please retry.');
}

/** A call that died with its function: it may have taken effect, so it is never run again by us. */
export function lostResult({ event_id, name }: OpenCall): Line {
  return errorResult(
    event_id,
    `The platform stopped while ${name} was running. It may have taken effect in part or in full: check before you run it again.`,
  );
}

/** A call that the client has denied. */
export function deniedResult({ event_id, name, deny_message }: OpenCall): Line {
  const reason = deny_message ? ` The user said: ${deny_message}` : '';
  return errorResult(event_id, `Permission to use ${name} has been denied.${reason}`);
}
