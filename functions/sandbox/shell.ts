import { Bash, type BashOptions, type ExecResult, type ScriptNode } from 'just-bash';
import { setTimeout as sleep } from 'node:timers/promises';
import { limits } from '#shared/core/limits.ts';
import { workdir } from '#shared/files/path.ts';
import type { ShellState } from '#shared/tools/sandbox.ts';
import { exactArithmetic } from './arithmetic.ts';
import { calculators } from './bc.ts';
import { blockers } from './blocks.ts';
import { digesters } from './digests.ts';
import { dumps } from './dumps.ts';
import { mendExpansions, menders } from './expansions.ts';
import { extras } from './extra-commands.ts';
import { Failures } from './failures.ts';
import { pythonsOver } from './python.ts';
import type { SessionFs } from './session-fs.ts';
import { patchers } from './patch.ts';
import { openFirst, protectsFiles } from './redirects.ts';
import { askFirstLines, scripts } from './shebangs.ts';
import { leaveInOrder, shells } from './shells.ts';
import { sorters } from './sort.ts';
import { spellings } from './spellings.ts';
import { systems } from './system.ts';
import { environment, frame, nameArguments, REPORT, stateAfter } from './shell-state.ts';

type ExecutionLimits = NonNullable<BashOptions['executionLimits']>;

/** Bounds against bombs. Time and the session's own isolation bound the rest. */
const bounds: ExecutionLimits = {
  maxCallDepth: 200,
  // A `read` of a loop is three by now.
  maxCommandCount: 600_000,
  maxLoopIterations: 200_000,
  // A line of its input is one, and time bounds what does not end.
  maxAwkIterations: 5_000_000,
  // Each round may work on the whole of a line that grows.
  maxSedIterations: 10_000,
  maxStringLength: 33_554_432,
  maxHeredocSize: 8_388_608,
  maxOutputSize: 33_554_432,
  maxLiveBytes: 268_435_456,
  maxDatabaseBytes: 134_217_728,
  maxArchiveBytes: 268_435_456,
  maxSourceBytes: 8_388_608,
};

/** After this the interpreter has not noticed that its time is over: the call goes on without it. */
const GRACE_MS = 1_000;

export interface ShellOptions {
  readonly fs: SessionFs;
  readonly fetch: NonNullable<BashOptions['fetch']>;
  readonly timeout_ms: number;
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
}

export interface ShellResult {
  readonly output: string;
  readonly exit_code: number;
  readonly timed_out: boolean;
  /** Absent when it is as it was. */
  readonly state: ShellState | undefined;
  /** What the model must know beside the output. */
  readonly notes: readonly string[];
}

/** Run one command in a shell that continues `before`. */
export async function runCommand(
  command: string,
  before: ShellState | undefined,
  options: ShellOptions,
): Promise<ShellResult> {
  const { bash, seen } = watchedShell(before, options);
  const cwd = await existing(options.fs, before?.cwd);
  const failures = new Failures();
  options.fs.failures = failures;
  const ended = bash.exec(command, {
    rawScript: true,
    cwd,
    env: { PWD: cwd, OLDPWD: before?.previous_cwd ?? cwd },
    signal: options.signal,
  });
  const result = (await Promise.race([ended.catch(brokenOff), overtime(options)])) ?? {
    stdout: '',
    stderr: '',
    exitCode: 124,
  };
  const timed_out = options.signal.aborted;
  const after = timed_out ? undefined : seen.after();
  options.fs.failures = undefined;
  const { silent } = failures;
  return {
    output: tidy([result.stdout + failures.explain(result.stderr), ...silent].join('\n')),
    // The interpreter did not notice them: say it at least at the end.
    exit_code: silent.size > 0 && result.exitCode === 0 ? 1 : result.exitCode,
    timed_out,
    state: after?.state,
    notes: after === undefined ? [] : notesOf(after),
  };
}

/** A shell that tells what it is after its command. */
function watchedShell(before: ShellState | undefined, options: ShellOptions) {
  let report: readonly string[] | undefined;
  let script: ScriptNode | undefined;
  const reporter = {
    name: REPORT,
    execute: async ([status, ...rest]: string[]) => {
      report ??= rest;
      return { stdout: '', stderr: '', exitCode: Number(status) };
    },
  };
  const mended = (tree: ScriptNode): ScriptNode => {
    nameArguments(tree);
    leaveInOrder(tree);
    mendExpansions(tree);
    exactArithmetic(tree);
    askFirstLines(tree);
    if (!protectsFiles(tree, before?.script)) openFirst(tree);
    return tree;
  };
  const bash = shellFor(options, [reporter]);
  bash.registerTransformPlugin({
    name: 'session-shell',
    transform: ({ ast }) => {
      // Nested shells (`bash -c`, `xargs`) come here too.
      if (script !== undefined) return { ast: mended(ast) };
      // A function is kept as it was written, and mended again with each command.
      script = structuredClone(ast);
      return { ast: mended(frame(before, ast)) };
    },
  });
  /** Undefined when the command ended the shell. */
  const after = () =>
    report === undefined || script === undefined ? undefined : stateAfter(report, script, before);
  return { bash, seen: { after } };
}

/** A new interpreter over the session's files; nothing of this function's process is in it. */
export function shellFor(
  options: ShellOptions,
  customCommands: BashOptions['customCommands'] = [],
) {
  return new Bash({
    fs: options.fs,
    cwd: workdir,
    env: environment,
    python: true,
    fetch: options.fetch,
    customCommands: [
      ...pythonsOver(options.fs),
      ...spellings,
      ...shells,
      ...extras,
      ...dumps,
      ...digesters,
      ...blockers,
      ...patchers,
      ...calculators,
      ...systems,
      ...sorters,
      ...scripts,
      ...menders,
      ...customCommands,
    ],
    executionLimits: {
      ...bounds,
      // Behind the signal, which says better what happened.
      maxExecutionTimeMs: options.timeout_ms + GRACE_MS,
      maxPythonTimeoutMs: options.timeout_ms,
      maxSqliteTimeoutMs: options.timeout_ms,
    },
  });
}

async function existing(fs: SessionFs, cwd: string | undefined): Promise<string> {
  return cwd !== undefined && (await fs.exists(cwd)) ? cwd : workdir;
}

/** What the interpreter itself throws, where a shell would say what is wrong with the command. */
function brokenOff(error: unknown): Pick<ExecResult, 'stdout' | 'stderr' | 'exitCode'> {
  if (!(error instanceof Error)) throw error;
  return { stdout: '', stderr: `bash: ${error.message}\n`, exitCode: 1 };
}

async function overtime({ timeout_ms }: ShellOptions): Promise<undefined> {
  await sleep(timeout_ms + GRACE_MS, undefined, { ref: false });
}

function notesOf({ state, lost_functions }: ReturnType<typeof stateAfter>): string[] {
  return [
    ...(state === undefined
      ? [
          `The shell's variables and functions are more than ${limits.shell_state_bytes_max} bytes: they are not kept.`,
        ]
      : []),
    ...(lost_functions.length === 0
      ? []
      : [
          `Functions from a sourced file or eval are not kept for the next call: ${lost_functions.join(', ')}.`,
        ]),
  ];
}

/** Colours and cursor movements mean nothing to a model. */
function tidy(output: string): string {
  // oxlint-disable-next-line no-control-regex -- the sequences begin with a control character
  return output.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '').replace(/\n+$/, '');
}
