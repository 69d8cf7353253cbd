import type { Anthropic } from '@anthropic-ai/sdk';
import type * as z from 'zod';
import type { ScheduleCreate, ScheduleUpdate } from '../dream-schedules/schedule-wire.ts';
import type { DreamScheduleRun } from '../dream-schedules/show-run.ts';
import type { DreamSchedule } from '../dream-schedules/show-schedule.ts';
import { withOptions, type CallOptions } from './call-options.ts';
import { pagesOf, type PageParams, type Pages } from './pages.ts';

export type DreamScheduleCreateParams = z.input<typeof ScheduleCreate>;
export type DreamScheduleUpdateParams = z.input<typeof ScheduleUpdate>;

export interface DreamScheduleListParams extends PageParams {
  readonly memory_store_id?: string;
  /** @default false */
  readonly include_archived?: boolean;
}

const HOME = '/v1/reverie/dream_schedules';

/** Dreams by themselves, at their times: `/v1/reverie/dream_schedules`. */
export class DreamSchedules {
  readonly #client: Anthropic;

  constructor(client: Anthropic) {
    this.#client = client;
  }

  async create(body: DreamScheduleCreateParams, options: CallOptions = {}): Promise<DreamSchedule> {
    return await this.#client.post(HOME, { body, ...withOptions(options) });
  }

  /** The newest first. */
  list(query: DreamScheduleListParams = {}): Pages<DreamSchedule> {
    return pagesOf(this.#client, HOME, query);
  }

  async retrieve(id: string): Promise<DreamSchedule> {
    return await this.#client.get(pathOf(id));
  }

  /** What is left out stays; null takes a field back to its default. */
  async update(
    id: string,
    body: DreamScheduleUpdateParams,
    options: CallOptions = {},
  ): Promise<DreamSchedule> {
    return await this.#client.post(pathOf(id), { body, ...withOptions(options) });
  }

  /** No fire has an effect until it is unpaused. */
  async pause(id: string): Promise<DreamSchedule> {
    return await this.#client.post(`${pathOf(id)}/pause`);
  }

  /** What was due meanwhile is not made good; the next run takes the sessions. */
  async unpause(id: string): Promise<DreamSchedule> {
    return await this.#client.post(`${pathOf(id)}/unpause`);
  }

  /** A run now, also while it is paused. @returns the run, with its dream or why there is none */
  async run(id: string, options: CallOptions = {}): Promise<DreamScheduleRun> {
    return await this.#client.post(`${pathOf(id)}/run`, withOptions(options));
  }

  /** For good; the history stays. */
  async archive(id: string): Promise<DreamSchedule> {
    return await this.#client.post(`${pathOf(id)}/archive`);
  }

  /** What has happened and why, the newest first. */
  runs(id: string, query: PageParams = {}): Pages<DreamScheduleRun> {
    return pagesOf(this.#client, `${pathOf(id)}/runs`, query);
  }

  async retrieveRun(id: string, run_id: string): Promise<DreamScheduleRun> {
    return await this.#client.get(`${pathOf(id)}/runs/${encodeURIComponent(run_id)}`);
  }
}

function pathOf(id: string): string {
  return `${HOME}/${encodeURIComponent(id)}`;
}
