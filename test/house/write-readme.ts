import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withParts } from './readme-parts.ts';
import { read, root } from './sources.ts';

/** Bring the made parts of the README up to date: `npx node test/house/write-readme.ts`. */
writeFileSync(join(root, 'README.md'), withParts(read('README.md')));
