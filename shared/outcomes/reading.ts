import type { BetaToolUseBlock } from '@anthropic-ai/sdk/resources/beta/messages/messages';
import * as z from 'zod';
import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { isInside, normalPath } from '../files/path.ts';
import type { ToolAnswer } from './conversation.ts';
import type { Desk, DeskAnswer } from './desk.ts';
import { outputs } from './graded-files.ts';
import { delimited } from './prompts.ts';

const place = { path: z.string().min(1).default(outputs) };
const from = { offset: z.int().min(0).default(0) };

const List = z.strictObject({ ...place, ...from });
const Read = z.strictObject({ path: z.string().min(1), ...from });
const Search = z.strictObject({ pattern: z.string().min(1), ...place });
const Fetch = z.strictObject({ url: z.string().min(1), ...from });

/** Runs the grader's reading calls and keeps them within what the model can take. */
export class Reading {
  readonly #desk: Desk;
  readonly #boundary: string;
  #round_chars = 0;
  #media_chars = 0;

  constructor(desk: Desk, boundary: string) {
    this.#desk = desk;
    this.#boundary = boundary;
  }

  /** @param room_chars What the model's window has room for; a round shares it. */
  beginRound(room_chars: number): void {
    this.#round_chars = Math.min(room_chars, limits.grader_round_chars_max);
  }

  /** Answer one call. A wrong call is an answer too. @throws Error for faults of our own */
  async answer(call: BetaToolUseBlock, signal: AbortSignal): Promise<ToolAnswer> {
    if (this.#round_chars <= 0) return said(call, NO_ROOM, true);
    const answer = await this.#run(call, signal);
    this.#round_chars -= answer.note.length + (answer.data?.length ?? 0);
    const note = { type: 'text' as const, text: answer.note };
    if (answer.media !== undefined) return this.#shown(call, answer, answer.media);
    const data =
      answer.data === undefined
        ? []
        : [{ type: 'text' as const, text: delimited(this.#boundary, 'deliverable', answer.data) }];
    return { tool_use_id: call.id, content: [note, ...data], is_error: answer.is_error };
  }

  #shown(
    call: BetaToolUseBlock,
    { note }: DeskAnswer,
    media: NonNullable<DeskAnswer['media']>,
  ): ToolAnswer {
    const chars = 'data' in media.source ? media.source.data.length : 0;
    if (this.#media_chars + chars > limits.grader_media_chars_max) {
      return said(call, 'No more images or documents can be shown in this grading.', true);
    }
    this.#media_chars += chars;
    // The API's own shape; ours allows sources that the sandbox never gives.
    const content = [{ type: 'text' as const, text: note }, media] as ToolAnswer['content'];
    return { tool_use_id: call.id, content, is_error: false };
  }

  async #run(call: BetaToolUseBlock, signal: AbortSignal): Promise<DeskAnswer> {
    try {
      return await this.#dispatch(call, signal);
    } catch (error) {
      if (error instanceof z.ZodError) {
        return { note: z.prettifyError(error).slice(0, 1_000), is_error: true };
      }
      if (error instanceof Fault) return { note: error.message, is_error: true };
      throw error;
    }
  }

  async #dispatch({ name, input }: BetaToolUseBlock, signal: AbortSignal): Promise<DeskAnswer> {
    const desk = this.#desk;
    switch (name) {
      case 'list': {
        const { path, offset } = List.parse(input);
        return desk.list(normalPath(path), offset);
      }
      case 'read': {
        const { path, offset } = Read.parse(input);
        const chars_max = Math.min(this.#round_chars, limits.grader_piece_chars_max);
        return await desk.read(normalPath(path), { offset, chars_max }, signal);
      }
      case 'glob':
      case 'grep': {
        const { pattern, path } = Search.parse(input);
        return await desk.search(name, pattern, normalPath(path), signal);
      }
      case 'web_fetch': {
        const { url, offset } = Fetch.parse(input);
        return await desk.fetch(url, offset, signal);
      }
      default:
        return { note: `There is no tool ${JSON.stringify(name)}.`, is_error: true };
    }
  }
}

const NO_ROOM =
  'There is no room for this now. Read less at once; when nothing has room, call submit_verdict with what you have: what you could not see is "cannot_tell".';

/** An answer in our own words. */
export function said(call: BetaToolUseBlock, text: string, is_error: boolean): ToolAnswer {
  return { tool_use_id: call.id, content: [{ type: 'text', text }], is_error };
}

/** The folders that the grader sees: what is handed over, and what the task names. */
export function foldersOf(named: readonly string[]): string[] {
  return [outputs, ...named.filter((path) => !isInside(path, [outputs]))];
}
