/**
 * Whether a memory is for people and models. What a program reads stands where that looks for it, and a
 * comment would break it.
 */
export function isProse(path: string): boolean {
  return /\.(md|markdown|txt)$/.test(path);
}
