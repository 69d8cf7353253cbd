import { Fault } from '../core/fault.ts';
import { limits } from '../core/limits.ts';
import { hasAtMost } from '../core/text.ts';
import { extensionOf } from './media-type.ts';

// oxlint-disable-next-line no-control-regex -- these characters are what is refused
const FORBIDDEN = /[<>:"|?*\u0000-\u001f]/;

/**
 * The name of an uploaded file: the last part of the path that its sender gave, or `unnamed` with
 * the extension of its type.
 *
 * @throws Fault `invalid` for a name that the API refuses
 */
export function filenameOf(said: string, media_type: string): string {
  const name = said.split(/[/\\]/).at(-1) ?? '';
  if (name === '') return `unnamed${extensionOf(media_type)}`;
  if (!hasAtMost(limits.filename_chars_max, name)) {
    throw new Fault(
      'invalid',
      `filename: must have at most ${limits.filename_chars_max} characters.`,
    );
  }
  if (FORBIDDEN.test(name) || !name.isWellFormed()) {
    throw new Fault(
      'invalid',
      'filename: must be text without control characters and without < > : " | ? *. Rename the file.',
    );
  }
  return name;
}
