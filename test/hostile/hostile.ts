/** `npm run hostile`: a siege of the local host, with its seed and all that fell. */
import { argsOf, command, wholeNumber } from '../command.ts';
import { besiege, openField } from './siege.ts';

const help = `npm run hostile -- [--count N] [--seed N] [--json]

Sends requests with something wrong in each to the local host: bodies that the SDK's types allow or
that a good client sends, with values of other types, too long, too deep, odd texts, others' ids; other
methods, types, encodings, headers and queries. Every answer must come in time, without a 5xx, with a
request-id and an envelope that names the field; what is refused must write nothing.

  --count N  requests (20000)
  --seed N   repeats a run; without it a new one is drawn and printed
  --json     each finding as a line of JSON`;

await command(help, async () => {
  const values = argsOf({
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help) return console.log(help);
  const [count, seed] = [wholeNumber('count', values.count), wholeNumber('seed', values.seed)];
  process.exitCode = await main(count, seed, values.json);
});

async function main(count: number, seed: number, is_json: boolean): Promise<number> {
  console.log(`seed ${seed}, ${count} requests`);
  const field = await openField();
  try {
    const started_at = Date.now();
    const progress = (sent: number): void => console.error(`${sent} sent`);
    const { fallen, statuses, changed } = await besiege(field, { seed, count, progress });
    for (const one of fallen) {
      if (is_json) console.log(JSON.stringify(one));
      else
        console.log(
          `#${one.n} ${one.route}: ${one.what}\n  ${one.faults.join('\n  ')}\n  ${one.sent}`,
        );
    }
    console.log(`${(Date.now() - started_at) / 1_000} s, by status: ${JSON.stringify(statuses)}`);
    console.log(`${fallen.length} fell; ${changed.length} rows of another workspace changed`);
    for (const row of changed) console.log(`  ${row}`);
    return fallen.length + changed.length === 0 ? 0 : 1;
  } finally {
    await field.close();
  }
}
