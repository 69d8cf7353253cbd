/** Why the host does not start, in a sentence for the person at the terminal. */
export class BootError extends Error {
  override readonly name = 'BootError';
}
