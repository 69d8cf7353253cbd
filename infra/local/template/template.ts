/** A CloudFormation template as the assembly holds it: nothing resolved yet. */
export interface Template {
  readonly Resources: Record<string, Resource>;
  readonly Parameters?: Record<string, { readonly Default?: unknown }>;
  readonly Conditions?: Record<string, unknown>;
  readonly Mappings?: Record<string, Record<string, Record<string, unknown>>>;
  readonly Outputs?: Record<string, { readonly Value: unknown }>;
  readonly Rules?: unknown;
}

export interface Resource {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
  readonly Condition?: string;
  readonly Metadata?: Record<string, unknown>;
}

/** One resource with its properties resolved. */
export interface Located {
  readonly id: string;
  readonly type: string;
  /** The physical name: the template's own, or the logical id. */
  readonly name: string;
  readonly properties: Record<string, unknown>;
  readonly metadata: Record<string, unknown>;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A property that must be a string once resolved. @throws Error naming the place. */
export function text(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new Error(`${where} is not a string: ${JSON.stringify(value)}`);
}

export function texts(value: unknown, where: string): string[] {
  const all = Array.isArray(value) ? value : [value];
  return all.map((each) => text(each, where));
}

export function record(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
