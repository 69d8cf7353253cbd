import { quoted, said, type Execute } from './command.ts';

/** `env`: the interpreter's lists the shell's own variables too, and gives a command none of those before it. */
export const env: Execute = async (args, { exec, cwd, stdin, signal, exportedEnv = {} }) => {
  const variables = new Map(Object.entries(exportedEnv));
  const left = [...args];
  while (left[0] !== undefined && taken(variables, left[0], left)) left.shift();
  const [name, ...rest] = left;
  if (name === undefined) {
    return said([...variables].map(([key, value]) => `${key}=${value}\n`).join(''));
  }
  if (exec === undefined) throw new Error('a command runs in a shell');
  // What is in front of a command is handed on by it; an environment of its own is not.
  const before = [...variables].flatMap(([key, value]) =>
    /^[A-Za-z_]\w*$/.test(key) ? [`${key}=${quoted(value)}`] : [],
  );
  return await exec([...before, ...[name, ...rest].map(quoted)].join(' '), {
    cwd,
    env: {},
    replaceEnv: true,
    stdin: stdin as unknown as string,
    stdinKind: 'bytes',
    ...(signal === undefined ? {} : { signal }),
  });
};

/** Whether a word is one of `env` and not of the command. */
function taken(variables: Map<string, string>, one: string, left: string[]): boolean {
  const [, name, value = ''] = /^([^-=][^=]*)=(.*)$/s.exec(one) ?? [];
  if (name !== undefined) variables.set(name, value);
  else if (/^(-|-i|--ignore-environment)$/.test(one)) variables.clear();
  else if (/^(-u|--unset)$/.test(one)) variables.delete(left.splice(1, 1)[0] ?? '');
  else if (/^(-u|--unset=)./.test(one)) variables.delete(one.replace(/^(-u|--unset=)/, ''));
  else return one === '-S' || one === '--';
  return true;
}
