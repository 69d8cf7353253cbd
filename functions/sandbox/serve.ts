import { Fault } from '#shared/core/fault.ts';
import { limits } from '#shared/core/limits.ts';
import { memory_root, normalPath, type Mount } from '#shared/files/path.ts';
import { isTooLong, outputPath, previewOf } from '#shared/tools/preview.ts';
import type { Dialer } from '#shared/tools/public-fetch.ts';
import { SandboxRequest, type SandboxReply } from '#shared/tools/sandbox.ts';
import { toolset, type ToolInput } from '#shared/tools/toolset.ts';
import { changesOf } from './changes.ts';
import { Contents } from './contents.ts';
import { convert, packedText } from './documents.ts';
import { egress } from './egress.ts';
import {
  editTool,
  globTool,
  readTool,
  said,
  ToolFailure,
  writeTool,
  type ReplyContent,
} from './file-tools.ts';
import { partsOf } from './parts.ts';
import { repack } from './repack.ts';
import { SessionFs } from './session-fs.ts';
import { runCommand, shellFor } from './shell.ts';
import { shownPlaybooks } from './shown.ts';
import { FsFault, Tree } from './tree.ts';
import { unpack } from './unpack.ts';
import { upload } from './upload.ts';

export interface SandboxPorts {
  readonly dialer: Dialer;
  readonly nowMs: () => number;
}

type Outcome = Pick<SandboxReply, 'content' | 'is_error' | 'shell'>;

/** Everything that a call works with. */
interface Bench {
  readonly request: SandboxRequest;
  readonly fs: SessionFs;
  readonly ports: SandboxPorts;
}

/** One call: make the session's files, run the tool on them, say what changed. */
export async function serve(ports: SandboxPorts, event: unknown): Promise<SandboxReply> {
  const request = SandboxRequest.parse(event);
  const parts = await partsOf(request);
  const contents = new Contents(parts);
  const sent = parts.flatMap(({ entries }) => entries);
  if (request.call.tool === 'repack')
    return await repack(request, request.call.paths, sent, contents);
  if (request.call.tool === 'unpack') return await unpack(request, request.call);
  // Beside the mounts nothing can be written there.
  const mounts: Mount[] = [...request.mounts, { path: memory_root, access: 'read_only' }];
  const mounted = mounts.map(({ path }) => path);
  const tree = new Tree(sent, mounted, ports.nowMs());
  const fs = new SessionFs({ tree, contents, mounts, nowMs: ports.nowMs });
  const { call } = request;
  if (call.tool === 'convert') {
    // Its answer is bounded by the call itself, and it changes nothing.
    return { ...(await safely(async () => done(await convert(fs, call)))), changes: [] };
  }
  const bench: Bench = { request, fs, ports };
  const outcome = await safely(async () => await runTool(bench, request.call));
  const content = await shorten(fs, request.event_id, outcome.content);
  const changes = await changesOf(tree, { entries: sent, mounts }, async (bytes) => {
    await upload(request.upload_url, bytes);
  });
  const shown = shownPlaybooks(tree, mounted, content);
  return { ...outcome, content, changes, ...(shown.length === 0 ? {} : { shown }) };
}

async function runTool(bench: Bench, call: SandboxRequest['call']): Promise<Outcome> {
  const { fs } = bench;
  if (call.tool === 'markdown') return await markdown(bench, call.html);
  if (call.tool === 'repack' || call.tool === 'convert' || call.tool === 'unpack') {
    throw new Error(`${call.tool} is not run as a tool`);
  }
  const { tool, input } = call;
  switch (tool) {
    case 'bash':
      return await bashTool(bench, toolset.bash.input.parse(input));
    case 'read':
      return done(await readTool(fs, toolset.read.input.parse(input), packedText));
    case 'write':
      return done(await writeTool(fs, toolset.write.input.parse(input)));
    case 'edit':
      return done(await editTool(fs, toolset.edit.input.parse(input)));
    case 'glob':
      return done(await globTool(fs, toolset.glob.input.parse(input)));
    case 'grep':
      return await grepTool(bench, toolset.grep.input.parse(input));
  }
}

async function bashTool({ request, fs, ports }: Bench, input: ToolInput<'bash'>): Promise<Outcome> {
  const before = input.restart === true ? undefined : request.shell;
  const fresh = { cwd: '/workspace', previous_cwd: '/workspace', script: '' };
  if (input.command === undefined || input.command.trim() === '') {
    if (input.restart !== true) throw new ToolFailure('command is required.');
    return { ...done(said('The shell was restarted.')), shell: fresh };
  }
  // Zero is the same as none, as the SDK's runner has it.
  const timeout_ms = Math.min(input.timeout_ms || limits.bash_timeout_ms, limits.bash_timeout_ms);
  const signal = AbortSignal.timeout(timeout_ms);
  const fetch = egress(request.networking, ports.dialer, signal);
  const result = await runCommand(input.command, before, { fs, fetch, timeout_ms, signal });
  const state = result.state ?? (input.restart === true ? fresh : undefined);
  const ends = result.timed_out
    ? [`[The command was stopped after ${timeout_ms} ms. What it wrote until then is kept.]`]
    : result.exit_code === 0
      ? []
      : [`[exit code ${result.exit_code}]`];
  const lines = [result.output, ...result.notes.map((note) => `[${note}]`), ...ends];
  return {
    content: said(lines.filter((line) => line !== '').join('\n')),
    is_error: result.timed_out || result.exit_code !== 0,
    ...(state === undefined ? {} : { shell: state }),
  };
}

/** By the interpreter's `rg`, whose expressions are RE2's: no pattern makes it backtrack. */
async function grepTool({ request, fs, ports }: Bench, input: ToolInput<'grep'>): Promise<Outcome> {
  const path = normalPath(input.path ?? '.');
  const place = fs.tree.walk(path, true);
  if (place.node === undefined) throw new ToolFailure(`There is no ${path}.`);
  // A link must not show the interpreter's own files as the session's.
  normalPath(place.path);
  const timeout_ms = limits.bash_timeout_ms / 2;
  const signal = AbortSignal.timeout(timeout_ms);
  const fetch = egress(request.networking, ports.dialer, signal);
  const bash = shellFor({ fs, fetch, timeout_ms, signal });
  const args = ['-n', '-H', '--hidden', '-g', '!.git', '-e', input.pattern, path];
  const result = await bash.exec('rg', { args, signal });
  if (result.exitCode === 0) return done(said(result.stdout.replace(/\n$/, '')));
  if (result.exitCode === 1 && result.stderr === '') return done(said('No lines match.'));
  throw new ToolFailure(signal.aborted ? 'The search took too long.' : result.stderr.trim());
}

async function markdown({ request, fs, ports }: Bench, html: string): Promise<Outcome> {
  const timeout_ms = limits.fetch_timeout_ms;
  const signal = AbortSignal.timeout(timeout_ms);
  const fetch = egress(request.networking, ports.dialer, signal);
  const bash = shellFor({ fs, fetch, timeout_ms, signal });
  const result = await bash.exec('html-to-markdown', { stdin: html, signal });
  return { content: said(result.stdout.trim()), is_error: result.exitCode !== 0 };
}

function done(content: ReplyContent): Outcome {
  return { content, is_error: false };
}

/** A tool's own failure is its result; anything else is our bug and the function's failure. */
async function safely(run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    const is_told =
      error instanceof ToolFailure || error instanceof FsFault || error instanceof Fault;
    if (!is_told) throw error;
    return { content: said(error.message), is_error: true };
  }
}

/** An output that is too long becomes a file of the session. */
async function shorten(
  fs: SessionFs,
  event_id: string,
  content: ReplyContent,
): Promise<ReplyContent> {
  const blocks: ReplyContent = [];
  for (const block of content) {
    if (block.type !== 'text' || !isTooLong(block.text)) {
      blocks.push(block);
      continue;
    }
    const path = outputPath(event_id);
    const where = await fs.writeFile(path, block.text).then(
      () => `The whole is in ${path}.`,
      () => 'The session has no room for the rest.',
    );
    blocks.push({ type: 'text', text: previewOf(block.text, where) });
  }
  return blocks;
}
