/** Shorter lines stand in many memories: headings, names of tools. */
const CHARS_MIN = 20;

/** Of a longer line its beginning counts: so what is compared has few lengths. */
const CHARS_MAX = 120;

/**
 * Which texts repeat a line that is gone and that nothing else holds. In the time and the room of the texts,
 * however many lines there are: a store has 32 MiB of them, and a request waits.
 *
 * @param gone Texts whose lines nobody may read any longer.
 * @param kept Texts that stay: a line that stands in them too gives nothing away.
 * @param texts What may repeat a line, anywhere in it.
 */
export function repeating(
  gone: readonly string[],
  kept: readonly string[],
  texts: readonly string[],
): boolean[] {
  const runs = new Runs();
  for (const text of texts) runs.add(text);
  const lines = new Set<string>();
  for (const text of gone) {
    for (const line of linesOf(text)) if (runs.mayHold(line)) lines.add(line);
  }
  for (const text of kept) for (const line of linesOf(text)) lines.delete(line);
  const passages = new Passages(lines);
  return texts.map((text) => passages.areIn(text));
}

function* linesOf(text: string): Generator<string> {
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed.length >= CHARS_MIN) yield trimmed;
  }
}

/** What runs of characters texts have, by one bit for a hash: a line that begins otherwise is in none. */
class Runs {
  readonly #bits = new Uint8Array(2 ** 21);

  add(text: string): void {
    for (let at = 0; at + CHARS_MIN <= text.length; at += 1) {
      const { byte, bit } = placeOf(text, at);
      this.#bits[byte] = (this.#bits[byte] ?? 0) | bit;
    }
  }

  mayHold(line: string): boolean {
    const { byte, bit } = placeOf(line, 0);
    return ((this.#bits[byte] ?? 0) & bit) !== 0;
  }
}

function placeOf(text: string, from: number): { readonly byte: number; readonly bit: number } {
  let hash = 0;
  for (let at = from; at < from + CHARS_MIN; at += 1) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  }
  // The upper bits of a product depend on all characters.
  const place = Math.imul(hash, 0x9e3779b1) >>> 8;
  return { byte: place >>> 3, bit: 1 << (place & 7) };
}

class Passages {
  readonly #passages: ReadonlySet<string>;
  readonly #begins: ReadonlySet<string>;
  readonly #lengths: readonly number[];

  constructor(lines: Iterable<string>) {
    const passages = new Set([...lines].map((line) => line.slice(0, CHARS_MAX)));
    this.#passages = passages;
    this.#begins = new Set([...passages].map((passage) => passage.slice(0, CHARS_MIN)));
    this.#lengths = [...new Set([...passages].map(({ length }) => length))];
  }

  areIn(text: string): boolean {
    if (this.#passages.size === 0) return false;
    for (let at = 0; at + CHARS_MIN <= text.length; at += 1) {
      if (!this.#begins.has(text.slice(at, at + CHARS_MIN))) continue;
      if (this.#lengths.some((length) => this.#passages.has(text.slice(at, at + length)))) {
        return true;
      }
    }
    return false;
  }
}
