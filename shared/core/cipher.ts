/** What a sealed text belongs to: it opens under the same context only. Logged by CloudTrail. */
export type Context = Readonly<Record<string, string>>;

/** Secrets that rows may hold: encrypted under a key that never leaves its service. */
export interface Cipher {
  /** @param text At most 4,096 bytes of UTF-8. @returns base64 */
  seal(text: string, context: Context): Promise<string>;
  /** @throws Error for what was sealed under another context or key */
  open(sealed: string, context: Context): Promise<string>;
}
