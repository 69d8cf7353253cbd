import type {
  BetaContentBlockParam,
  BetaMessageParam,
} from '@anthropic-ai/sdk/resources/beta/messages/messages';
import type { ApiFile } from '../api-files/api-file.ts';
import { fileBytes } from '../api-files/file-content.ts';
import { isExpired, readFiles } from '../api-files/read-file.ts';
import { sniffed } from '../api-files/sniffed.ts';
import { sourceKind } from '../api-files/source-kind.ts';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { StepTooSmall } from './step-too-small.ts';
import type { TurnPorts } from './turn-ports.ts';
import type { Ports } from '../core/ports.ts';

/**
 * Contents as a request has them, by file: base64, or text. Files never change, so they are kept
 * between the invocations of one warm function; the oldest go first.
 */
export type SourceCache = Map<string, string>;

type SourcePorts = Pick<Ports, 'table' | 'blobs' | 'clock'> &
  Pick<TurnPorts, 'sources' | 'is_large'>;

type FileBlock = Extract<BetaContentBlockParam, { type: 'image' | 'document' }> & {
  readonly source: { readonly type: 'file'; readonly file_id: string };
};

/**
 * Put the contents of files in the place of their ids: our ids mean nothing to a provider. A file that
 * is gone, and older ones beyond what one request can carry, become a line that says so.
 *
 * @throws StepTooSmall before any is loaded
 */
export async function fillSources(
  ports: SourcePorts,
  workspace_id: string,
  messages: readonly BetaMessageParam[],
): Promise<BetaMessageParam[]> {
  const blocks = messages.flatMap(({ content }) => fileBlocksOf(content));
  if (blocks.length === 0) return [...messages];
  // The newest first: what is said now is about those.
  const file_ids = [...new Set(blocks.map(({ source }) => source.file_id).toReversed())];
  const found = await readFiles(ports, { workspace_id }, file_ids);
  const weight_bytes = found.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
  if (weight_bytes > limits.step_source_bytes_max && !ports.is_large) throw new StepTooSmall();
  const fillings = new Map<string, Filling>();
  let bytes = 0;
  for (const file of found) {
    bytes += file.size_bytes;
    const has_room = bytes <= limits.source_files_bytes_max;
    fillings.set(file.file_id, has_room ? await fillingOf(ports, workspace_id, file) : left_out);
  }
  return messages.map((message) => {
    if (fileBlocksOf(message.content).length === 0) return message;
    return { ...message, content: filled(message.content, fillings) } as BetaMessageParam;
  });
}

/** What stands in a block's place: its source, or a line. */
type Filling =
  | { readonly source: object }
  | {
      readonly note:
        | 'is gone'
        | 'is empty'
        | 'is damaged'
        | 'was left out: newer files take all the room';
    };

const gone: Filling = { note: 'is gone' };
const left_out: Filling = { note: 'was left out: newer files take all the room' };

function filled(content: unknown, fillings: ReadonlyMap<string, Filling>): unknown {
  if (!Array.isArray(content)) return content;
  return content.map((block: BetaContentBlockParam) => {
    if (block.type === 'tool_result') {
      return { ...block, content: filled(block.content, fillings) };
    }
    if (!isFileBlock(block)) return block;
    const filling = fillings.get(block.source.file_id) ?? gone;
    if ('source' in filling) return { ...block, source: filling.source };
    const title = block.type === 'document' && block.title ? ` '${block.title}'` : '';
    return { type: 'text', text: `[The ${block.type}${title} that stood here ${filling.note}.]` };
  });
}

/** Of base64: as far as {@link sniffed} looks. */
const HEAD_CHARS = 1_368;

async function fillingOf(
  ports: SourcePorts,
  workspace_id: string,
  file: ApiFile,
): Promise<Filling> {
  const kind = sourceKind(file.mime_type);
  if (kind === undefined || isExpired(file, ports.clock.now())) return gone;
  const data = await contentOf(ports, workspace_id, file, kind === 'text' ? 'utf8' : 'base64');
  if (data === undefined) return gone;
  if (kind === 'text') {
    if (data.trim() === '') return { note: 'is empty' };
    return { source: { type: 'text', media_type: 'text/plain', data } };
  }
  const media_type = sniffed(Buffer.from(data.slice(0, HEAD_CHARS), 'base64'));
  if (media_type === undefined || sourceKind(media_type) !== kind) return { note: 'is damaged' };
  return { source: { type: 'base64', media_type, data } };
}

/** Undefined when it is gone by now. */
async function contentOf(
  ports: SourcePorts,
  workspace_id: string,
  file: ApiFile,
  encoding: 'utf8' | 'base64',
): Promise<string | undefined> {
  const { sources } = ports;
  const known = sources.get(file.file_id);
  if (known !== undefined) return known;
  try {
    const bytes = await fileBytes(ports, file);
    const data = encoding === 'base64' ? bytes.toString('base64') : new TextDecoder().decode(bytes);
    keep(ports, file.file_id, data);
    return data;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    // It may have been deleted since its row was read.
    const [again] = await readFiles(ports, { workspace_id }, [file.file_id]);
    if (again === undefined) return undefined;
    throw error;
  }
}

function keep({ sources, is_large }: SourcePorts, file_id: string, data: string): void {
  const chars_max = is_large ? limits.sources_chars_max : limits.step_sources_chars_max;
  sources.set(file_id, data);
  let chars_count = [...sources.values()].reduce((sum, one) => sum + one.length, 0);
  for (const [oldest, { length }] of sources) {
    if (chars_count <= chars_max) return;
    sources.delete(oldest);
    chars_count -= length;
  }
}

function fileBlocksOf(content: unknown): FileBlock[] {
  if (!Array.isArray(content)) return [];
  return content.flatMap((block: BetaContentBlockParam): FileBlock[] => {
    if (block.type === 'tool_result') return fileBlocksOf(block.content);
    return isFileBlock(block) ? [block] : [];
  });
}

function isFileBlock(block: BetaContentBlockParam): block is FileBlock {
  return (block.type === 'image' || block.type === 'document') && block.source.type === 'file';
}
