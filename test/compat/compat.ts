import { parseArgs, styleText } from 'node:util';
import { byResource, compatibility, markdown, type Compatibility } from './table.ts';

const help = `npm run compat -- [--markdown | --json]

Shows which operations of the installed Anthropic SDK's Managed Agents API Reverie answers.
The list is read from the SDK's sources, the answers from shared/routes.ts.

  --markdown  the part of the README between <!-- compat --> and <!-- /compat -->
  --json      everything, for programs
  --help      this text`;

/** For a terminal: colour only where one reads it (styleText honours NO_COLOR and pipes). */
function print({ sdk, set, implemented, total, operations, own }: Compatibility): void {
  const width = Math.max(...operations.map(({ path }) => path.length));
  const paint = (format: 'green' | 'dim' | 'bold', text: string): string =>
    styleText(format, text, { stream: process.stdout });
  for (const [resource, rows] of byResource(operations)) {
    const count = rows.filter((row) => row.implemented).length;
    console.log(`\n${paint('bold', resource)} ${count}/${rows.length}`);
    for (const { method, path, call, implemented: done } of rows) {
      const line = `${done ? 'yes' : ' no'}  ${method.padEnd(6)} ${path.padEnd(width)}  ${call}`;
      console.log(paint(done ? 'green' : 'dim', line));
    }
  }
  console.log(`\n${paint('bold', 'beyond the SDK')} ${own.length}`);
  for (const name of own) console.log(`     ${name}`);
  console.log(`\n${implemented} of ${total} operations of ${sdk} (${set})`);
}

try {
  const { values } = parseArgs({
    options: {
      markdown: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) console.log(help);
  else if (values.json) console.log(JSON.stringify(compatibility(), null, 2));
  else if (values.markdown) console.log(markdown(compatibility()));
  else print(compatibility());
} catch (cause) {
  console.error(`${cause instanceof Error ? cause.message : String(cause)}\n\n${help}`);
  process.exitCode = 2;
}
