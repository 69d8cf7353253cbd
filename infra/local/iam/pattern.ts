const compiled = new Map<string, RegExp>();

/** IAM's wildcards: `*` any run of characters, `?` exactly one. The rest is literal. */
export function matches(pattern: string, value: string, ignore_case = false): boolean {
  if (pattern === '*') return true;
  const key = `${ignore_case ? 'i' : 's'}${pattern}`;
  let expression = compiled.get(key);
  if (expression === undefined) {
    const source = pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    expression = new RegExp(`^${source}$`, ignore_case ? 'is' : 's');
    compiled.set(key, expression);
  }
  return expression.test(value);
}
