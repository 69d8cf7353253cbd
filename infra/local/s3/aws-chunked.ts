import { AwsError } from '../aws-error.ts';

export interface Unchunked {
  readonly body: Buffer;
  /** Headers that followed the last chunk, in lower case. */
  readonly trailer: Readonly<Record<string, string>>;
}

/**
 * Take the framing off an `aws-chunked` body: `<hex length>[;chunk-signature=…]\r\n<bytes>\r\n`, an
 * empty chunk, then the trailer. @throws AwsError `IncompleteBody` when it is cut off.
 */
export function unchunk(framed: Buffer): Unchunked {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const line_end = framed.indexOf('\r\n', at);
    if (line_end === -1) throw cut();
    const length = Number.parseInt(framed.toString('latin1', at, line_end), 16);
    if (Number.isNaN(length)) throw cut();
    at = line_end + 2;
    if (length === 0) break;
    if (at + length + 2 > framed.length) throw cut();
    parts.push(framed.subarray(at, at + length));
    at += length + 2;
  }
  const lines = framed.toString('latin1', at).split('\r\n');
  const trailer = lines.flatMap((line) => {
    const colon = line.indexOf(':');
    return colon === -1 ? [] : [[line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]];
  });
  return { body: Buffer.concat(parts), trailer: Object.fromEntries(trailer) };
}

function cut(): AwsError {
  return new AwsError('IncompleteBody', 'The request body terminated unexpectedly.');
}
