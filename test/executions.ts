import type { Executions } from '#shared/core/executions.ts';

/** Executions that run until they are told to end. */
export class MemoryExecutions implements Executions {
  readonly started: { readonly name: string; readonly input: object }[] = [];
  readonly running = new Set<string>();

  async start(name: string, input: object): Promise<void> {
    this.started.push({ name, input });
    this.running.add(name);
  }

  async alive(name: string): Promise<boolean> {
    return this.running.has(name);
  }
}
