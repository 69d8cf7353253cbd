/** One frame of server-sent events, taken apart. A comment or an empty frame has no data. */
export interface Frame {
  readonly event: string | undefined;
  readonly id: string | undefined;
  readonly data: string | undefined;
}

/** Hears every whole frame of a body that passes through unchanged. */
export function listen(hear: (frame: Frame) => void): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  let rest = '';
  return new TransformStream({
    transform(chunk, controller) {
      rest += decoder.decode(chunk, { stream: true });
      const whole = rest.split('\n\n');
      rest = whole.pop() ?? '';
      for (const text of whole) hear(parseFrame(text));
      controller.enqueue(chunk);
    },
  });
}

export function parseFrame(text: string): Frame {
  const field = (name: string): string | undefined => {
    const values = text
      .split('\n')
      .filter((line) => line.startsWith(`${name}:`))
      .map((line) => line.slice(name.length + 1).replace(/^ /, ''));
    return values.length === 0 ? undefined : values.join('\n');
  };
  return { event: field('event'), id: field('id'), data: field('data') };
}
