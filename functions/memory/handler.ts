import { serve } from '#shared/door/serve.ts';
import { routeTable } from './route-table.ts';
import { door, ports } from './wiring.ts';

export const handler = serve(routeTable(ports), door);
