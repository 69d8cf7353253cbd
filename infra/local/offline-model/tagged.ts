/** An event of a transcript as a dream shows it. */
export interface ShownEvent {
  readonly id: string;
  readonly at: string;
  readonly type: string;
  readonly by: string;
  /** The event of the call that it answers; empty where it answers none. */
  readonly call: string;
  readonly text: string;
}

const EVENT =
  /<(event-\w+) id="([^"]*)" at="([^"]*)" type="([^"]*)" by="([^"]*)"(?: call="([^"]*)")?[^>]*>\n([^]*?)\n<\/\1>/g;

/** The events of a piece, in order. */
export function eventsIn(asked: string): ShownEvent[] {
  return [...asked.matchAll(EVENT)].map(
    ([, , id = '', at = '', type = '', by = '', call = '', text = '']) => ({
      id,
      at,
      type,
      by,
      call,
      text,
    }),
  );
}

/** The JSON between the tags of a name; undefined where there is none. */
export function dataIn<Data>(asked: string, name: string): Data | undefined {
  const inside = new RegExp(`<(${name}-\\w+)>\\n([^]*?)\\n</\\1>`).exec(asked)?.[2];
  return inside === undefined ? undefined : (JSON.parse(inside) as Data);
}

/** The fields of an event that are no text: its first line, as JSON. */
export function fieldsOf({ text }: ShownEvent): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text.split('\n', 1)[0] ?? '') as Record<string, unknown>;
  } catch {
    return {};
  }
}
