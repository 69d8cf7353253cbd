import type { Frame } from './steady-stream.ts';

type Delta = Extract<Frame, { type: 'event_delta' }>;

interface Preview {
  /** What has been shown of each of its blocks. */
  readonly texts: string[];
  is_open: boolean;
}

/** What a stream shows of an event before it is whole: begun once, without a gap, and nothing behind it. */
export function previewFaults(frames: readonly Frame[]): string[] {
  const previews = new Map<string, Preview>();
  return frames.flatMap((frame) => {
    if (frame.type === 'event_start') return startFaults(previews, frame.event.id);
    if (frame.type === 'event_delta') return deltaFaults(previews.get(frame.event_id), frame);
    if (frame.type !== 'span.model_request_end') return wholeFaults(previews.get(frame.id), frame);
    for (const preview of previews.values()) preview.is_open = false;
    return [];
  });
}

function startFaults(previews: Map<string, Preview>, id: string): string[] {
  const is_known = previews.has(id);
  previews.set(id, { texts: [], is_open: true });
  return is_known ? [`the preview of ${id} begins twice`] : [];
}

function deltaFaults(preview: Preview | undefined, { event_id, delta }: Delta): string[] {
  if (preview === undefined) return [`a preview of ${event_id} goes on and has not begun`];
  if (!preview.is_open) return [`a preview of ${event_id} goes on behind its end`];
  const { texts } = preview;
  const { index = 0, content } = delta;
  const is_next = index === texts.length || index === texts.length - 1;
  texts[index] = `${texts[index] ?? ''}${content.text}`;
  return is_next ? [] : [`the preview of ${event_id} leaves a gap before ${index}`];
}

function wholeFaults(preview: Preview | undefined, frame: Frame): string[] {
  if (preview === undefined) return [];
  preview.is_open = false;
  if (frame.type !== 'agent.message') return [];
  const is_same = preview.texts.every((text, at) => {
    const block = frame.content[at];
    return block?.type === 'text' && block.text.startsWith(text);
  });
  return is_same ? [] : [`${frame.id} does not begin as its preview did`];
}
