import { routeTable } from './route-table.ts';
import { serve } from './serve.ts';
import { door, ports } from './wiring.ts';

export const handler = serve(routeTable(ports), door);
