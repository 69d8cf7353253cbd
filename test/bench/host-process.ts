import { startHost, type AwsAccess } from '../../infra/local/host.ts';

/** What the bench has to know of a host that is up. */
export interface Ready {
  readonly base_url: string;
  readonly api_key: string;
  /** For whoever looks into the table itself, or fills it. */
  readonly aws: AwsAccess;
  readonly table_name: string;
}

/** What a host is asked: what it has counted, or how many bytes each function holds. */
export type Question = 'counters' | 'memory';

/** The host as a child of the bench: says where it is, and answers what it is asked. */
const [data_dir = '', model_url = ''] = process.argv.slice(2);
const api_key = 'bench-admin-key';
const host = await startHost({
  data_dir,
  admin_key: api_key,
  model: { api_key: 'bench', base_url: model_url },
});
// Else the first figures would be those of a host that is still loading.
await host.warmed;
const table_name = String(host.outputs['TableName']);
const ready: Ready = { base_url: host.base_url, api_key, aws: host.aws, table_name };
process.send?.(ready);
process.on('message', async (question: Question) =>
  process.send?.(question === 'counters' ? host.counters() : await host.functionMemory()),
);
for (const end of ['SIGTERM', 'disconnect'] as const) {
  process.once(end, () => void host.stop().then(() => process.exit(0)));
}
