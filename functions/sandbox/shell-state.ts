import { parse, serialize, type ScriptNode } from 'just-bash';
import { limits } from '#shared/core/limits.ts';
import { homedir } from '#shared/files/path.ts';
import type { ShellState } from '#shared/tools/sandbox.ts';
import { isArithmeticName } from './arithmetic.ts';

/**
 * A shell that lives for one command at a time. Before a command, the script of the state is put in
 * front of its parsed form; behind it goes a command of ours that reads the shell's own lists. Both
 * are trees, not text: line numbers stay right, and a here-document that was not closed, or a `#` at
 * the end, swallows nothing. A command that ends the shell (`exit`, `set -e`) leaves the state as it was.
 */

/** The command that reports the state; its first argument is the status of the model's command. */
export const REPORT = '__session_shell';

/** In one group, so that a trace (`set -x`) of it goes nowhere. */
const tail =
  `{ ${REPORT} $? "\${PWD-}" "\${OLDPWD-}" "$(builtin declare -p)" "$(builtin alias)" ` +
  `"$(builtin declare -F)"; } 2>/dev/null`;

/** What a new shell has: a state that says no more is no state. */
export const environment = {
  HOME: homedir,
  USER: 'user',
  LANG: 'C.UTF-8',
  PATH: '/usr/bin:/bin',
  TMPDIR: '/tmp',
} as const;
const unchanged = new Set([
  ...Object.entries(environment).map(([name, value]) => `declare -x ${name}="${value}"`),
  "declare -- IFS=$' \\t\\n'",
]);

/** Variables that the interpreter sets itself. */
const own = new Set(
  'BASHOPTS SHELLOPTS PIPESTATUS PWD OLDPWD OPTIND HOSTNAME HOSTTYPE MACHTYPE OSTYPE _'.split(' '),
);

/** The script that runs for a command: state, command, report. */
export function frame(state: ShellState | undefined, command: ScriptNode): ScriptNode {
  const before = state === undefined || state.script === '' ? [] : restored(state.script);
  return {
    ...command,
    statements: [...before, ...command.statements, ...parse(tail).statements],
  };
}

/** What `for x` goes through without `in`; the interpreter takes it apart at each blank. */
const every_argument = {
  type: 'Word',
  parts: [
    {
      type: 'DoubleQuoted',
      parts: [{ type: 'ParameterExpansion', parameter: '@', operation: null }],
    },
  ],
};

/** Write `in "$@"` behind each `for x` that has no `in`. Changes the tree. */
export function nameArguments(node: unknown): void {
  if (typeof node !== 'object' || node === null) return;
  if ('type' in node && node.type === 'For' && 'words' in node) node.words ??= [every_argument];
  for (const inside of Object.values(node)) nameArguments(inside);
}

/** Silent: what cannot be made again is no news in each later command. */
function restored(script: string): ScriptNode['statements'] {
  return parse(`{\n${script}\n} 2>/dev/null`).statements;
}

/**
 * The state after a command.
 *
 * @param report The arguments of {@link REPORT} behind the status.
 * @param command What was run, for the texts of functions that it defined.
 * @returns undefined when the state is too large to be kept.
 */
export function stateAfter(
  report: readonly string[],
  command: ScriptNode,
  before: ShellState | undefined,
): { readonly state: ShellState | undefined; readonly lost_functions: readonly string[] } {
  const [cwd = '/', previous_cwd = '/', variables = '', aliases = '', names = ''] = report;
  const texts = new Map([
    ...(before === undefined ? [] : functionsOf(parse(before.script))),
    ...functionsOf(command),
  ]);
  const defined = names.split('\n').flatMap((line) => /^declare -f (.+)$/.exec(line)?.[1] ?? []);
  const script = [
    ...keptVariables(variables),
    aliases,
    ...defined.flatMap((name) => texts.get(name) ?? []),
    ...keptOptions(variables),
  ]
    .filter((line) => line !== '')
    .join('\n');
  const lost_functions = defined.filter((name) => !texts.has(name));
  const is_kept = Buffer.byteLength(script) <= limits.shell_state_bytes_max;
  return { state: is_kept ? { cwd, previous_cwd, script } : undefined, lost_functions };
}

/** Each function's text by its name; the last definition counts. */
export function functionsOf(node: unknown): [string, string][] {
  if (Array.isArray(node)) return node.flatMap(functionsOf);
  if (typeof node !== 'object' || node === null) return [];
  const inside = Object.values(node).flatMap(functionsOf);
  if (!('type' in node) || node.type !== 'FunctionDef' || !('name' in node)) return inside;
  const pipeline = { type: 'Pipeline', commands: [node], negated: false };
  const statement = { type: 'Statement', pipelines: [pipeline], operators: [], background: false };
  const script = { type: 'Script', statements: [statement] } as unknown as ScriptNode;
  return [...inside, [String(node.name), serialize(script)]];
}

function keptVariables(list: string): string[] {
  return list.split('\n').flatMap((line) => {
    const name = /^declare \S+ ([^=]+)/.exec(line)?.[1] ?? '';
    if (!/^[A-Za-z_]\w*$/.test(name) || own.has(name) || unchanged.has(line)) return [];
    if (isArithmeticName(name)) return [];
    // `declare -a b=([0]="1 2")` would lose the quotes of its elements; an assignment keeps them.
    const array = /^declare (-\w*[aA]\w*) \w+=(\(.*\))$/.exec(line);
    return array === null ? [line] : [`declare ${array[1]} ${name}`, `${name}=${array[2]}`];
  });
}

/** What `set -o` and `shopt -s` switched on, as two variables list it. */
function keptOptions(variables: string): string[] {
  const listed = (name: string): string[] =>
    new RegExp(`^declare \\S+ ${name}="(.*)"$`, 'm').exec(variables)?.[1]?.split(':') ?? [];
  const flags = listed('BASHOPTS').filter((option) => option !== 'globskipdots');
  const options = listed('SHELLOPTS').filter((option) => !plain.has(option));
  return [
    ...flags.map((option) => `shopt -s ${option}`),
    ...options.map((option) => `set -o ${option}`),
  ];
}

/** On in every shell, or, with `noexec`, the end of every shell. */
const plain = new Set(['braceexpand', 'hashall', 'interactive-comments', 'noexec', '']);
