import type { BetaManagedAgentsStreamSessionEvents } from '@anthropic-ai/sdk/resources/beta/sessions';

const OUTPUTS = '/mnt/session/outputs/';

/**
 * The deliverables of a session as its events tell them: what `write` and `edit` left under
 * /mnt/session/outputs. Files made by other tools are seen only in the session.
 */
export class Deliverables {
  readonly #open = new Map<string, () => void>();
  readonly #texts = new Map<string, string>();

  /** By path below the outputs folder. */
  get texts(): ReadonlyMap<string, string> {
    return this.#texts;
  }

  see(event: BetaManagedAgentsStreamSessionEvents): void {
    if (event.type === 'agent.tool_use') {
      this.#open.set(event.id, () => this.#apply(event.name, event.input));
    } else if (event.type === 'agent.tool_result') {
      const apply = this.#open.get(event.tool_use_id);
      this.#open.delete(event.tool_use_id);
      if (event.is_error !== true) apply?.();
    }
  }

  #apply(tool: string, input: Readonly<Record<string, unknown>>): void {
    const { file_path, content, old_string, new_string, replace_all } = input;
    if (typeof file_path !== 'string' || !file_path.startsWith(OUTPUTS)) return;
    const name = file_path.slice(OUTPUTS.length);
    // A path with `..` must not leave the folder that it is saved to.
    if (name.split('/').includes('..')) return;
    const before = this.#texts.get(name);
    if (tool === 'write' && typeof content === 'string') this.#texts.set(name, content);
    if (tool !== 'edit' || before === undefined) return;
    const [from, to] = [String(old_string), String(new_string)];
    // A function as replacement: `$&` in a text is no pattern.
    const after =
      replace_all === true ? before.replaceAll(from, () => to) : before.replace(from, () => to);
    this.#texts.set(name, after);
  }
}
