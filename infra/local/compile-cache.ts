/**
 * Loaded before the program (`node --import`): keeps what Node makes of the sources, so that the next
 * start does not strip types and compile again. Measured: a third less of a processor to load the host.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/node', import.meta.url)));
