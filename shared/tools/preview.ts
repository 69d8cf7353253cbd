import { limits } from '../core/limits.ts';
import { upToUnits } from '../core/text.ts';
import { tool_outputs } from '../files/path.ts';

/** Where the output of a call goes that is too long for the model. */
export function outputPath(event_id: string): string {
  return `${tool_outputs}/${event_id}.txt`;
}

export function isTooLong(text: string): boolean {
  return text.length > limits.tool_output_chars_max;
}

/** What the model gets instead of an output that was written to a file. */
export function previewOf(text: string, where: string): string {
  const head = upToUnits(text, limits.tool_preview_chars);
  return `${head}\n\n[The output has ${text.length} characters; this is its beginning. ${where}]`;
}
