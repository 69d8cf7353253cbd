/** Source: DynamoDB, TransactWriteItems: under the same token within ten minutes it is done once. */
const kept_ms = 600_000;

/**
 * Knows a transaction that was sent before. The engine answers it as done and does nothing, though others
 * may have written meanwhile to what it names.
 */
export class Repeats {
  #tokens = new Set<string>();
  /** Each is known for ten to twenty minutes. */
  #older = new Set<string>();
  #since_ms = performance.now();

  /** @returns whether a transaction with this token was here before */
  note(token: unknown): boolean {
    if (typeof token !== 'string') return false;
    if (performance.now() - this.#since_ms > kept_ms) {
      this.#older = this.#tokens;
      this.#tokens = new Set();
      this.#since_ms = performance.now();
    }
    const is_known = this.#tokens.has(token) || this.#older.has(token);
    this.#tokens.add(token);
    return is_known;
  }
}
