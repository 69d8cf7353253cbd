import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of the input folder, as text. */
export interface Input {
  readonly name: string;
  readonly text: string;
}

/** What a message carries to a model: more belongs in an upload, not in a context. */
const INPUT_CHARS_MAX = 400_000;
/** So many blocks a message has at most, and one of them says what the others are. */
const INPUTS_MAX = 999;

/**
 * The text files of a folder, by name; READMEs, dot files, links and subfolders stay behind.
 * @throws Error that says what to do: no folder, no text in it, or too much.
 */
export async function readInputs(folder: string): Promise<Input[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    const is_file = cause instanceof Error && 'code' in cause && cause.code === 'ENOTDIR';
    throw new Error(
      is_file
        ? `'${folder}' is a file. Give the folder that it is in.`
        : `There is no folder '${folder}'.`,
      { cause },
    );
  });
  const names = entries
    .filter((entry) => entry.isFile() && !/^(\.|readme)/i.test(entry.name))
    .map(({ name }) => name)
    .toSorted();
  const inputs: Input[] = [];
  for (const name of names) {
    const path = join(folder, name);
    if ((await stat(path)).size > INPUT_CHARS_MAX) throw new Error(tooMuch(name));
    const text = textOf(await readFile(path));
    if (text !== undefined && text !== '') inputs.push({ name, text });
  }
  if (inputs.length === 0) {
    throw new Error(
      `There is no text file in '${folder}' (subfolders and links are not looked at).`,
    );
  }
  if (inputs.length > INPUTS_MAX) {
    throw new Error(
      `'${folder}' has ${inputs.length} text files: one message takes ${INPUTS_MAX}.`,
    );
  }
  const chars = inputs.reduce((sum, { text }) => sum + text.length, 0);
  if (chars > INPUT_CHARS_MAX) throw new Error(tooMuch(folder));
  return inputs;
}

function tooMuch(name: string): string {
  return `'${name}' has more than ${INPUT_CHARS_MAX} characters: too much for one message.`;
}

/** The text of a file, or undefined when it is not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
