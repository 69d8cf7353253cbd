/** Said at the end of a prompt whose answer the provider cannot hold to a schema: its form. */
export function answerRule(schema: Readonly<Record<string, unknown>>): string {
  return `Answer with one JSON object and nothing else, no words around it. It fits this JSON Schema; leave out fields that you have nothing for:\n${JSON.stringify(schema)}`;
}
