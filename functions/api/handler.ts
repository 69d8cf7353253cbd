import { routeTable } from './route-table.ts';
import { serve } from '#shared/door/serve.ts';
import { door, ports } from './wiring.ts';

export const handler = serve(routeTable(ports), door);
