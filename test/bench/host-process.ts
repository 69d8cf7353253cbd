import { startHost } from '../../infra/local/host.ts';

/** What the bench has to know of a host that is up. */
export interface Ready {
  readonly url: string;
  readonly api_key: string;
  /** Folder of the synthesized assembly that it runs. */
  readonly assembly_dir: string;
}

/** The host as a child of the bench: says where it is, and what it has counted when it is asked. */
const host = await startHost({ data_dir: process.argv[2] ?? '', port: 0 });
const ready: Ready = host;
process.send?.(ready);
process.on('message', () => process.send?.(host.counters()));
process.once('disconnect', () => void host.close());
process.once('SIGTERM', () => void host.close().then(() => process.exit(0)));
