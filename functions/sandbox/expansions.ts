import { parse } from 'just-bash';
import { commands, said, type Execute } from './command.ts';

/**
 * Forms of words that the interpreter takes for something else, written as what it knows. Each of them was
 * a wrong result and no error: a count that stayed 1, a script whose main part never ran.
 */

interface Node {
  type: string;
  [field: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

/** Change each node from the innermost outwards. `change` gives what stands in its place. */
function changeEach(node: unknown, change: (node: Node) => unknown): unknown {
  if (typeof node !== 'object' || node === null) return node;
  for (const [field, inside] of Object.entries(node)) {
    (node as Record<string, unknown>)[field] = changeEach(inside, change);
  }
  return isNode(node) ? change(node) : node;
}

/** Write a script's words anew where the interpreter would go wrong. Changes the tree. */
export function mendExpansions(script: unknown): void {
  changeEach(script, (node) => {
    if (node.type === 'ArithmeticExpansion') return summed(node);
    if (node.type === 'ArithmeticCommand') return counted(node);
    if (node.type === 'ParameterExpansion') return named(node);
    // An item of `{a,b}` has the same type, and a word inside.
    if (node.type === 'Word' && 'parts' in node) return joined(node);
    if (node.type === 'SimpleCommand') return commanded(node);
    if (node.type === 'Pipeline') return piped(node);
    return node;
  });
}

/** `${a[$k]:-0}`, `${t%%:*}`, `10#$n`: texts in a sum, which only a shell's own expansion knows. */
const TEXT = /\$\{(?!\w+\})|#\$/;

function textOf(node: Node): string | undefined {
  const expression = node['expression'];
  const text = isNode(expression) ? expression['originalText'] : undefined;
  if (typeof text !== 'string') return undefined;
  const bare = withoutCommands(text);
  // The interpreter takes the quotes of `$(date -d "$day" +%s)` away in a sum.
  const is_quoted = bare !== text && /["']/.test(text);
  const is_text = TEXT.test(bare) || is_quoted;
  return is_text && !/["'`\\]/.test(bare) ? text : undefined;
}

/** A sum without its commands: what is quoted in these is their own. */
function withoutCommands(text: string): string {
  let depth = 0;
  return Array.from(text, (letter, at) => {
    const opens = letter === '(' && (depth > 0 || (text[at - 1] === '$' && text[at + 1] !== '('));
    if (opens) depth += 1;
    const kept = depth === 0 ? letter : '';
    if (letter === ')' && depth > 0) depth -= 1;
    return kept;
  }).join('');
}

/** `$((…))` as the sum of what its text expands to. */
function summed(node: Node): unknown {
  const text = textOf(node);
  if (text === undefined) return node;
  return partOf(`"$(eval "echo \\$((${text}))")"`, 'CommandSubstitution') ?? node;
}

/** `((…))` likewise. */
function counted(node: Node): unknown {
  const text = textOf(node);
  if (text === undefined) return node;
  const [command] = commandsOf(`eval "((${text}))"`);
  return { ...command, redirections: node['redirections'] };
}

/** A script is asked whether it runs by itself: its source is then its own name. */
function named(node: Node): unknown {
  const is_own = /^BASH_SOURCE(\[0\])?$/.test(String(node['parameter']));
  return is_own ? { ...node, parameter: '0' } : node;
}

function commandsOf(script: string): Node[] {
  const pipelines = parse(script).statements.flatMap((statement) => statement.pipelines);
  return pipelines.flatMap((pipeline) => pipeline.commands as unknown as Node[]);
}

function partOf(word: string, type: string): unknown {
  const found: Node[] = [];
  changeEach(commandsOf(`: ${word}`), (node) => {
    if (node.type === type) found.push(node);
    return node;
  });
  return found.at(-1);
}

function commanded(node: Node): unknown {
  const name = node['name'];
  const [part, ...more] = isNode(name) ? (name['parts'] as Node[]) : [];
  if (part === undefined || more.length > 0) return node;
  if (part.type === 'ParameterExpansion') return split(node, name);
  const literal = part.type === 'Literal' ? String(part['value']) : '';
  return readers.has(literal) ? decoded(node) : node;
}

/**
 * `"${a[*]}"` and `"$*"` are joined by the first letter of IFS. The interpreter joins them by a blank, but for the
 * words of a command, so that `IFS=$'\n'; sort <<< "${a[*]}"` had one line; and rightly, with a default.
 */
function joined(word: Node): unknown {
  const parts = (word['parts'] as Node[]).flatMap((part) =>
    part.type === 'DoubleQuoted' ? apart(part) : [part],
  );
  return { ...word, parts };
}

/** In quotes of its own: beside others it would be joined by a blank all the same. */
function apart(quoted: Node): Node[] {
  const parts = quoted['parts'] as Node[];
  if (!parts.some(isAll)) return [quoted];
  return parts.map((part) => ({ ...quoted, parts: [isAll(part) ? withDefault(part) : part] }));
}

function isAll({ type, operation, parameter }: Node): boolean {
  const is_plain = type === 'ParameterExpansion' && operation === null;
  return is_plain && typeof parameter === 'string' && /^(\*|\w+\[\*\])$/.test(parameter);
}

function withDefault(part: Node): Node {
  const sample = partOf('"${x-}"', 'ParameterExpansion');
  if (!isNode(sample)) throw new Error('a template is an expansion');
  return { ...part, operation: sample['operation'] };
}

const deaf = new Set(['If', 'Case', 'For', 'CStyleFor']);

/** What is behind a pipe and is no command hears nothing of it; in braces it does. */
function piped(node: Node): unknown {
  const commands = (node['commands'] as Node[]).map((command, nth) => {
    if (nth === 0 || !deaf.has(command.type)) return command;
    const [group] = commandsOf('{ :; }');
    const [statement] = (group?.['body'] ?? []) as { pipelines: { commands: Node[] }[] }[];
    for (const pipeline of statement?.pipelines ?? []) pipeline.commands = [command];
    return group;
  });
  return { ...node, commands };
}

/** `$command` may be several words, which the interpreter takes for the name of one. */
function split(node: Node, name: unknown): unknown {
  const condition = conditionOf(`if ${IS_WORDS} "$x" </dev/null; then command; else :; fi`);
  const inner = { ...node, redirections: [] };
  const args = node['args'] as unknown[];
  condition.ask['args'] = [
    { type: 'Word', parts: [{ type: 'DoubleQuoted', parts: (name as Node)['parts'] }] },
  ];
  Object.assign(condition.yes, { assignments: node['assignments'], args: [name, ...args] });
  Object.assign(condition.no, inner);
  return { ...condition.whole, redirections: node['redirections'] };
}

/** The commands of a list, each in a statement of its own. */
function commandsIn(statements: unknown): Node[] {
  const list = (statements ?? []) as { pipelines: { commands: Node[] }[] }[];
  return list.flatMap(({ pipelines }) => pipelines.flatMap(({ commands: all }) => all));
}

/** A condition in braces, behind which a pipe is heard, and its parts, each a command to be changed. */
function conditionOf(template: string) {
  const [whole] = commandsOf(`{ ${template}; }`);
  const [branch] = commandsIn(whole?.['body']);
  const [clause] = (branch?.['clauses'] ?? []) as { condition: unknown; body: unknown }[];
  const [ask] = commandsIn(clause?.condition);
  const [yes] = commandsIn(clause?.body);
  const [no] = commandsIn(branch?.['elseBody']);
  if (ask === undefined || yes === undefined || no === undefined)
    throw new Error('not a condition');
  return { whole, ask, yes, no };
}

const readers = new Set(['read', 'mapfile', 'readarray']);

/**
 * What `read` puts into variables are bytes, a character each: `ü` had two letters, came out of a pipe as
 * four bytes, and was the name of no file. So they are made a text right behind it.
 */
function decoded(node: Node): unknown {
  const [group] = commandsOf(`{ :; ${AS_TEXT} $? </dev/null; }`);
  const [read, command] = commandsIn(group?.['body']);
  if (read === undefined || command === undefined) throw new Error('a template is a group');
  for (const field of Object.keys(read)) delete read[field];
  Object.assign(read, { ...node, redirections: [] });
  const args = node['args'] as Node[];
  command['args'] = [...(command['args'] as unknown[]), ...args, ...elementsOf(node, args)];
  return { ...group, redirections: node['redirections'] };
}

/** The elements of an array that was read, behind a mark and its name. */
function elementsOf({ name }: Node, args: readonly Node[]): unknown[] {
  const words = args.map(({ parts }) => {
    const [part] = parts as Node[];
    return part?.type === 'Literal' ? String(part['value']) : '';
  });
  const at = words.findIndex((word) => /^-[rs]*a$/.test(word));
  const is_read = isNode(name) && JSON.stringify(name).includes('"read"');
  const last = words.at(-1) ?? '';
  const named = is_read ? words[at + 1] : /^-|^$/.test(last) ? 'MAPFILE' : last;
  if ((is_read && at === -1) || named === undefined || !/^[A-Za-z_]\w*$/.test(named)) return [];
  const [command] = commandsOf(`: ${ELEMENTS} ${named} "\${${named}[@]}"`);
  return command?.['args'] as unknown[];
}

const ELEMENTS = '--elements--';
const IS_WORDS = '__session_words';
const AS_TEXT = '__session_text';

const areWords: Execute = async ([text = '']) => {
  return { ...said(''), exitCode: /\S\s+\S/.test(text) ? 0 : 1 };
};

/** The status of the command before, and its arguments: the names of variables among them. */
const asText: Execute = async ([status = '0', ...args], { env, assignShellVariable }) => {
  const cut = args.indexOf(ELEMENTS);
  const [array = '', ...elements] = cut === -1 ? [] : args.slice(cut + 1);
  for (const [nth, element] of elements.entries()) {
    const text = textFrom(element);
    if (text !== undefined) await assignShellVariable?.(array, text, String(nth));
  }
  for (const name of cut === -1 ? [...args, 'REPLY'] : []) {
    const text = textFrom(env.get(name) ?? '');
    if (text !== undefined) await assignShellVariable?.(name, text);
  }
  return { ...said(''), exitCode: Number(status) };
};

/** What bytes say in UTF-8; undefined where they are a text already, or none. */
function textFrom(value: string): string | undefined {
  if (!/[\u0080-\u00ff]/.test(value) || /[\u0100-\uffff]/.test(value)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      Buffer.from(value, 'latin1'),
    );
  } catch {
    return undefined;
  }
}

export const menders = commands({ [IS_WORDS]: areWords, [AS_TEXT]: asText });
