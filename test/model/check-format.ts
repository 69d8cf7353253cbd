import type { MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';

/** Source: structured outputs, schema complexity limits. */
const OPTIONAL_MAX = 24;
const UNIONS_MAX = 16;

/** Source: structured outputs, JSON Schema limitations; the SDK's transform writes no others. */
const TAKEN = new Set(
  `$defs $ref enum const type anyOf allOf description title properties additionalProperties required
  format items minItems`.split(/\s+/),
);

/**
 * The rules for `output_config.format`, and the one that keeps tools from being forced.
 * @returns the message of the 400, or undefined when the request is good
 */
export function checkFormat(body: MessageCreateParams): string | undefined {
  const forced = body.tool_choice?.type === 'any' || body.tool_choice?.type === 'tool';
  if (forced && body.thinking !== undefined && body.thinking.type !== 'disabled') {
    return 'Thinking may not be enabled when tool_choice forces tool use.';
  }
  const schema = body.output_config?.format?.schema;
  if (schema === undefined) return undefined;
  const broken = faultOf([...schemasIn(schema)]);
  return broken === undefined ? undefined : `output_config.format.schema: ${broken}`;
}

function faultOf(nodes: readonly Schema[]): string | undefined {
  const odd = nodes.flatMap((node) => Object.keys(node)).find((key) => !TAKEN.has(key));
  if (odd !== undefined) return `'${odd}' is not supported`;
  const objects = nodes.filter(({ type }) => type === 'object');
  if (objects.some(({ additionalProperties }) => additionalProperties !== false)) {
    return "For 'object' type, 'additionalProperties' must be explicitly set to false";
  }
  const optional = nodes.reduce((sum, node) => sum + optionalIn(node), 0);
  if (optional > OPTIONAL_MAX) return `${optional} optional parameters`;
  const unions = nodes.filter(({ type, anyOf }) => anyOf !== undefined || Array.isArray(type));
  return unions.length > UNIONS_MAX ? `${unions.length} union types` : undefined;
}

type Schema = Readonly<Record<string, unknown>>;

function* schemasIn(schema: Schema): Generator<Schema> {
  yield schema;
  const { properties = {}, $defs = {}, items, anyOf = [], allOf = [] } = schema;
  const below = [
    ...Object.values(properties as object),
    ...Object.values($defs as object),
    ...(anyOf as Schema[]),
    ...(allOf as Schema[]),
    ...(items === undefined ? [] : [items]),
  ] as Schema[];
  for (const each of below) yield* schemasIn(each);
}

function optionalIn({ properties = {}, required = [] }: Schema): number {
  return Object.keys(properties as object).length - (required as string[]).length;
}
