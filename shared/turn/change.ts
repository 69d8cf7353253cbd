import type { ThreadHead } from '../threads/thread.ts';
import { mergeSession, type Change } from '../threads/change.ts';

/** Two changes as one: the lines in order, the later patch and the later sums on top. */
export function merge(first: Change, second: Change): Change {
  return {
    lines: [...first.lines, ...second.lines],
    patch: { ...first.patch, ...second.patch },
    ...sessionOf(mergeSession(first.session, second.session)),
    writes: [...(first.writes ?? []), ...(second.writes ?? [])],
    others: [...(first.others ?? []), ...(second.others ?? [])],
    ...timedOf(second.timedWrites ?? first.timedWrites),
    ...settledOf(second.settled ?? first.settled),
  };
}

/** Only a call's answer has any. */
function timedOf(timedWrites: Change['timedWrites']): Pick<Change, 'timedWrites'> {
  return timedWrites === undefined ? {} : { timedWrites };
}

/** The session's head is left alone when neither change touches it: each write costs. */
function sessionOf(session: Change['session']): Pick<Change, 'session'> {
  return session === undefined ? {} : { session };
}

/** The head as a change will leave it. */
export function after(head: ThreadHead, change: Change): ThreadHead {
  return { ...head, ...change.patch };
}

function settledOf(settled: string | undefined): Pick<Change, 'settled'> {
  return settled === undefined ? {} : { settled };
}
