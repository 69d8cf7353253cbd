/** Source: DynamoDB quota: bytes of a sort key, and so of what a query compares sort keys with. */
const SORT_KEY_BYTES_MAX = 1_024;

/** The greatest text of so many bytes. */
const GREATEST = ['', '\u007f', '\u07ff', '\uffff'] as const;

/** What a query asks DynamoDB for. */
export interface Bounds {
  readonly from: string;
  readonly to: string;
  /** Which of the rows in between are meant. @default - all */
  readonly holds?: (sort_key: string) => boolean;
}

/**
 * The bounds of a query, inclusive, as DynamoDB takes them: it refuses one that is longer than a key can
 * be, like what lies behind a path that fills its key, or the place that a cursor of nobody's making names.
 */
export function boundsOf(from: string, to: string): Bounds {
  if (fits(from) && fits(to)) return { from, to };
  const [first, last] = [Buffer.from(from), Buffer.from(to)];
  return {
    from: beginningOf(from),
    // Whatever begins so and is a key: some of it may come behind the bound.
    to: fits(to) ? to : filled(beginningOf(to)),
    holds: (sort_key) => {
      const key = Buffer.from(sort_key);
      return Buffer.compare(first, key) <= 0 && Buffer.compare(key, last) <= 0;
    },
  };
}

function fits(text: string): boolean {
  return Buffer.byteLength(text) <= SORT_KEY_BYTES_MAX;
}

/** What of a text a key has room for, in whole characters. */
function beginningOf(text: string): string {
  if (fits(text)) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(SORT_KEY_BYTES_MAX));
  return text.slice(0, read);
}

function filled(text: string): string {
  return text + (GREATEST[SORT_KEY_BYTES_MAX - Buffer.byteLength(text)] ?? '');
}
