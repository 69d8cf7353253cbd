import type { Call } from '../core/call.ts';
import type { QueryValues } from '../core/parse.ts';
import type { Form } from './form.ts';

/** A request as a route sees it: named parts of the path, grouped query, parsed body. */
export interface Request {
  readonly path: Readonly<Record<string, string>>;
  readonly query: QueryValues;
  /** Parsed JSON; undefined when there was none. Unknown until the route has parsed it. */
  readonly body: unknown;
  /** What came as multipart/form-data, at a route whose rule says `body: 'form'`; else empty. */
  readonly form: Form;
  /** The values of `anthropic-beta`, in lower case. */
  readonly betas: ReadonlySet<string>;
  readonly call: Call;
}

/** A route's whole work: parse, call one use case, say what comes back. */
export type Route = (
  request: Request,
) => Promise<{ readonly status: number; readonly body: unknown }>;
