/** Twice what DynamoDB does: a transaction under the same token within ten minutes is done once. */
const kept_ms = 600_000;

/**
 * Knows a transaction that was sent before. The engine answers it as done and does nothing, though others
 * may have written meanwhile to what it names.
 */
export class Repeats {
  #tokens = new Set<string>();
  #older = new Set<string>();
  #since_ms = performance.now();

  /** Whether a transaction with this token was here before. */
  has(token: unknown): boolean {
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
