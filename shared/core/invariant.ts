/** Stop on a programmer's error. For what a caller can cause, throw a Fault instead. */
export function invariant(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${rule}`);
}

/** End of an exhaustive `switch`: a new member of the union becomes a compile error here. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
