import * as z from 'zod';
import { limits } from '../core/limits.ts';
import { workdir } from '../files/path.ts';

const file_path = z
  .string()
  .min(1)
  .describe(`Path of the file: absolute, or relative to ${workdir}.`);

/**
 * The built-in tools, in the order in which a model is offered them. The order and the texts are
 * the first bytes of each request's prompt cache: a change here makes every session pay once.
 */
export const toolset = {
  bash: {
    description:
      'Run a command in a persistent bash shell. Working directory, variables and functions are ' +
      'kept between calls. Common Unix tools, jq, sqlite3 and python3 are available; there are no ' +
      'background jobs and nothing can be installed; whole numbers in shell arithmetic are exact up to 2^53. ' +
      'Python has its standard library without network, threads and sqlite3: its subprocess runs commands of ' +
      'this shell, and curl and sqlite3 are such. A command that exits with another code than 0 ' +
      'is reported as an error. Commands end after 120 seconds.',
    input: z.strictObject({
      command: z.string().optional().describe('The command. Required unless restart is true.'),
      restart: z.boolean().optional().describe('Start a new shell first; its files are kept.'),
      timeout_ms: z
        .int()
        .min(0)
        .optional()
        .describe('Milliseconds until the command is stopped; at most, and by default, 120000.'),
    }),
  },
  read: {
    description:
      'Read a file. Text comes with line numbers, also that of .docx, .xlsx and .pptx; images and PDF ' +
      'documents are shown. Use view_range for a part of a long text.',
    input: z.strictObject({
      file_path,
      view_range: z
        .array(z.int())
        .length(2)
        .optional()
        .describe('First and last line, counted from 1; -1 as the last means the end.'),
    }),
  },
  write: {
    description:
      'Write a text file, replacing what it held. Folders on the way are made. Results for the ' +
      'user belong in /mnt/session/outputs.',
    input: z.strictObject({ file_path, content: z.string().describe('The whole new text.') }),
  },
  edit: {
    description:
      'Replace a text in a file by another. old_string must stand there exactly once, unless ' +
      'replace_all is true.',
    input: z.strictObject({
      file_path,
      old_string: z.string().min(1).describe('The text to replace, exactly as it stands.'),
      new_string: z.string().describe('The text to put in its place.'),
      replace_all: z.boolean().optional().describe('Replace every occurrence.'),
    }),
  },
  glob: {
    description: `Find files by a pattern such as **/*.ts. Newest first, at most ${limits.glob_results_max}.`,
    input: z.strictObject({
      pattern: z.string().min(1).describe('A relative pattern.'),
      path: z.string().min(1).optional().describe(`Folder to search. Default: ${workdir}.`),
    }),
  },
  grep: {
    description:
      'Search the contents of files for a regular expression (RE2 syntax). Gives path, line ' +
      'number and line.',
    input: z.strictObject({
      pattern: z.string().min(1).describe('The regular expression.'),
      path: z.string().min(1).optional().describe(`File or folder. Default: ${workdir}.`),
    }),
  },
  web_fetch: {
    description: 'Fetch a public web page or document by its URL. Pages come as Markdown.',
    input: z.strictObject({ url: z.string().min(1).describe('An http or https URL.') }),
  },
  web_search: {
    description: 'Search the web. Gives titles, addresses and excerpts.',
    input: z.strictObject({ query: z.string().min(1).max(1_000).describe('What to look for.') }),
  },
} as const;

export type ToolName = keyof typeof toolset;
export type ToolInput<Name extends ToolName> = z.output<(typeof toolset)[Name]['input']>;

export function isToolName(name: string): name is ToolName {
  return Object.hasOwn(toolset, name);
}
