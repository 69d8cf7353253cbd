/** The host as a child that can be killed: its hooks fail a share of all calls to AWS. */
import { HostClock } from '../../infra/local/clock.ts';
import { startHost } from '../../infra/local/host.ts';
import { Random } from '../hostile/random.ts';
import { Faults } from './faults.ts';

export interface HostStart {
  readonly data_dir: string;
  readonly model_url: string;
  readonly port: number;
  readonly api_key: string;
  readonly seed: number;
  /** Share of calls to AWS that fail. */
  readonly share: number;
  /** What the clock of the host before it has shown; undefined for the first. */
  readonly start_ms: number | undefined;
}

/** What the parent wants of the host, one of these at a time or several. */
export type Order =
  | { readonly type: 'kill'; readonly name: string }
  | { readonly type: 'advance'; readonly ms: number }
  | { readonly type: 'outage'; readonly service: string; readonly ms: number }
  | { readonly type: 'calm' }
  | { readonly type: 'stop' };

export interface Obeyed {
  readonly n: number;
  /** What the host's clock shows. */
  readonly now_ms: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly running: number;
  readonly heap_bytes: number;
  readonly error?: string;
}

/** What a host that is up says first. */
export interface Up {
  readonly base_url: string;
  readonly aws: Awaited<ReturnType<typeof startHost>>['aws'];
  readonly table: string;
  readonly bucket: string;
  readonly logs: string;
}

const start = JSON.parse(process.argv[2] ?? '{}') as HostStart;
const faults = new Faults(new Random(start.seed), start.share);
const clock = new HostClock(start.start_ms === undefined ? undefined : new Date(start.start_ms));
const host = await startHost({
  data_dir: start.data_dir,
  port: start.port,
  admin_key: start.api_key,
  model: { api_key: 'chaos', base_url: start.model_url },
  clock,
  hooks: faults.hooks,
  is_warmed: false,
  progress: (sentence) => console.error(sentence),
});
const up: Up = {
  base_url: host.base_url,
  aws: host.aws,
  table: String(host.outputs['TableName']),
  bucket: String(host.outputs['BucketName']),
  logs: host.logs,
};
process.send?.(up);

async function obey(order: Order): Promise<void> {
  switch (order.type) {
    case 'kill':
      return await host.kill(order.name);
    case 'advance':
      return await host.advance(order.ms);
    case 'outage':
      return faults.out(order.service, order.ms);
    case 'calm':
      return faults.calm();
    case 'stop':
      return await host.stop();
  }
}

process.on('message', ({ n, order }: { readonly n: number; readonly order: Order }) => {
  void obey(order)
    .then(
      () => ({}),
      (error: unknown) => ({ error: String(error) }),
    )
    .then((rest) => {
      const now_ms = clock.now_ms();
      const { counts } = faults;
      const heap_bytes = process.memoryUsage().rss;
      const done: Obeyed = { n, now_ms, counts, running: host.running(), heap_bytes, ...rest };
      process.send?.(done, () => {
        if (order.type === 'stop') process.exit(0);
      });
    });
});
