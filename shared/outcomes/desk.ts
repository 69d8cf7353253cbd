import { mediaTypeOf } from '../api-files/media-type.ts';
import { limits } from '../core/limits.ts';
import { upToUnits } from '../core/text.ts';
import { isInside } from '../files/path.ts';
import { Converted, folded } from '../tools/convert.ts';
import type { Dialer } from '../tools/public-fetch.ts';
import type { ResultBlock } from '../tools/tools.ts';
import { webFetch } from '../tools/web-fetch.ts';
import { urlsIn, type WebRules } from '../tools/web-rules.ts';
import type { Answer, GradedFile, GradedFiles, ReadCall } from './graded-files.ts';

/** A tool's answer to the grader: what it says itself, and apart from it what a file or page holds. */
export interface DeskAnswer {
  /** In our words: where the data is from, what of it is here, how to go on. */
  readonly note: string;
  /** A stranger's words. */
  readonly data?: string;
  readonly media?: Extract<ResultBlock, { type: 'image' | 'document' }>;
  readonly is_error: boolean;
}

/** What the grader has seen of one file. */
interface Looked {
  /** The text up to here was shown without a gap. */
  read_chars: number;
  total_chars: number;
  is_shown: boolean;
  is_searched: boolean;
}

interface DeskOptions {
  readonly files: GradedFiles;
  /** The folders and files that may be seen. */
  readonly folders: readonly string[];
  readonly dialer: Dialer;
  /** Null: no pages are fetched. */
  readonly web: WebRules | null;
  /** Texts of the task: pages that they name may be fetched. */
  readonly task_texts: readonly string[];
  /** Texts that are known from the beginning, and evidence like fetched pages: by address. */
  readonly pages: ReadonlyMap<string, string>;
}

/** Where the grader reads: its files and pages, and what of them it has looked at. */
export class Desk {
  readonly #options: DeskOptions;
  readonly #looked = new Map<string, Looked>();
  readonly #pages = new Map<string, string>();
  /** Addresses that have been shown: an address that is made up could carry data away. */
  readonly #known_urls = new Set<string>();
  #fetches_count = 0;

  constructor(options: DeskOptions) {
    this.#options = options;
    for (const [address, text] of options.pages) this.#pages.set(address, text);
    for (const text of options.task_texts) this.#learnUrls(text);
  }

  get files(): readonly GradedFile[] {
    return this.#options.files.files;
  }

  get fetches_count(): number {
    return this.#fetches_count;
  }

  list(folder: string, offset: number): DeskAnswer {
    const found = this.files.filter(({ path }) => isInside(path, [folder]));
    const page = found.slice(offset, offset + limits.grader_listing_max);
    const end = offset + page.length;
    const more = end < found.length ? `; go on with offset ${end}` : '';
    return {
      note: `Files ${Math.min(offset + 1, end)} to ${end} of ${found.length} below ${JSON.stringify(folder)}${more}.`,
      data: page.map(lineOf).join('\n'),
      is_error: false,
    };
  }

  /** @param at Where the piece begins and how long it may be. */
  async read(
    path: string,
    at: { readonly offset: number; readonly chars_max: number },
    signal: AbortSignal,
  ): Promise<DeskAnswer> {
    const { offset } = at;
    const call: ReadCall = { tool: 'convert', path, ...at, quotes: [] };
    const answer = await this.#options.files.run(call, signal);
    const [block] = answer.content;
    const looked = this.#lookedAt(path);
    if (block?.type === 'image' || block?.type === 'document') {
      looked.is_shown = true;
      return { note: `${JSON.stringify(path)} is shown whole.`, media: block, is_error: false };
    }
    const piece = convertedOf(answer);
    if (piece === undefined) return failure(answer);
    const end = offset + piece.text.length;
    if (offset <= looked.read_chars) looked.read_chars = Math.max(looked.read_chars, end);
    looked.total_chars = piece.total_chars;
    this.#learnUrls(piece.text);
    return {
      note: [pieceNote(path, offset, end, piece.total_chars), ...piece.notes].join(' '),
      data: piece.text,
      is_error: false,
    };
  }

  /** By glob or grep. */
  async search(
    tool: 'glob' | 'grep',
    pattern: string,
    path: string,
    signal: AbortSignal,
  ): Promise<DeskAnswer> {
    const answer = await this.#options.files.run({ tool, input: { pattern, path } }, signal);
    if (answer.is_error) return failure(answer);
    if (tool === 'grep') {
      for (const file of this.files) {
        if (isInside(file.path, [path])) this.#lookedAt(file.path).is_searched = true;
      }
    }
    const data = textOf(answer);
    this.#learnUrls(data);
    return {
      note: `${tool} ${JSON.stringify(pattern)} in ${JSON.stringify(path)}:`,
      data,
      is_error: false,
    };
  }

  async fetch(address: string, offset: number, signal: AbortSignal): Promise<DeskAnswer> {
    const url = URL.parse(address)?.href;
    if (url === undefined || this.#options.web === null || !this.#known_urls.has(url)) {
      const note =
        'Only an address that stands in the task or in what you have read can be fetched.';
      return { note, is_error: true };
    }
    const known = this.#pages.get(url);
    if (known !== undefined) return pageAnswer(url, known, offset);
    this.#fetches_count += 1;
    const rules = { ...this.#options.web, url_sources: null };
    const toMarkdown = async (html: string): Promise<string | undefined> => {
      if (html.length > HTML_CHARS_MAX) return undefined;
      const answer = await this.#options.files.run({ tool: 'markdown', html }, signal);
      return answer.is_error ? undefined : textOf(answer);
    };
    const ports = { dialer: this.#options.dialer, toMarkdown };
    const outcome = await webFetch(ports, { url, rules, seen: undefined }, signal);
    if (outcome.is_error) return failure(outcome);
    const [block] = outcome.content;
    if (block?.type === 'image' || block?.type === 'document') {
      this.#pages.set(url, '');
      return { note: `${JSON.stringify(url)} is shown whole.`, media: block, is_error: false };
    }
    const text = textOf(outcome);
    this.#pages.set(url, text);
    this.#learnUrls(text);
    return pageAnswer(url, text, offset);
  }

  /** The model did not take an image or document: it has not been seen. */
  unshow(): void {
    for (const looked of this.#looked.values()) looked.is_shown = false;
  }

  isFile(path: string): boolean {
    return this.files.some((file) => file.path === path);
  }

  isFolder(path: string): boolean {
    const { folders } = this.#options;
    return folders.includes(path) || this.files.some((file) => file.path.startsWith(`${path}/`));
  }

  isShown(path: string): boolean {
    return this.#looked.get(path)?.is_shown === true;
  }

  /** Whether the whole of a file went by: read to its end, or searched. */
  isCovered(path: string): boolean {
    const looked = this.#looked.get(path);
    if (looked === undefined) return false;
    return looked.is_searched || looked.read_chars >= looked.total_chars;
  }

  pageAt(address: string): string | undefined {
    return this.#pages.get(URL.parse(address)?.href ?? '');
  }

  /** Which quotes stand in a file; undefined when it has no text that could be searched. */
  async quotesIn(
    path: string,
    quotes: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly boolean[] | undefined> {
    const page = this.pageAt(path);
    if (page !== undefined) {
      const text = folded(page);
      return quotes.map((quote) => text.includes(folded(quote)));
    }
    const call: ReadCall = { tool: 'convert', path, offset: 0, chars_max: 1, quotes: [...quotes] };
    const piece = convertedOf(await this.#options.files.run(call, signal));
    return piece === undefined || piece.kind === 'media' ? undefined : piece.found;
  }

  #lookedAt(path: string): Looked {
    const known = this.#looked.get(path);
    if (known !== undefined) return known;
    const fresh = { read_chars: 0, total_chars: Infinity, is_shown: false, is_searched: false };
    this.#looked.set(path, fresh);
    return fresh;
  }

  #learnUrls(text: string): void {
    for (const { href } of urlsIn(text)) this.#known_urls.add(href);
  }
}

/** A page must pass Lambda's 6 MB, escaped as JSON. */
const HTML_CHARS_MAX = 1_500_000;

/** One line of a listing; JSON, so that no file name can be more than a name. */
export function lineOf({ path, size_bytes, sha256 }: GradedFile): string {
  const media_type = mediaTypeOf(path, undefined);
  return JSON.stringify({ path, size_bytes, media_type, sha256: sha256.slice(0, 16) });
}

function pieceNote(name: string, from: number, to: number, total: number): string {
  const more = to < total ? ` There is more: go on with offset ${to}.` : ' This is its end.';
  return `${JSON.stringify(name)}, characters ${from} to ${to} of ${total}.${more}`;
}

function pageAnswer(url: string, text: string, offset: number): DeskAnswer {
  const data = upToUnits(text.slice(offset), limits.grader_piece_chars_max);
  return {
    note: pieceNote(url, offset, offset + data.length, text.length),
    data,
    is_error: false,
  };
}

function failure(answer: { readonly content: readonly ResultBlock[] }): DeskAnswer {
  return { note: 'This failed:', data: textOf(answer), is_error: true };
}

function textOf({ content }: { readonly content: readonly ResultBlock[] }): string {
  return content.map((block) => (block.type === 'text' ? block.text : '')).join('\n');
}

/** @returns undefined when the file could not be read */
function convertedOf(answer: Answer): Converted | undefined {
  if (answer.is_error) return undefined;
  const text = textOf(answer);
  return text === '' ? undefined : Converted.parse(JSON.parse(text));
}
