import { routeTable } from './route-table.ts';
import { serve } from './serve.ts';
import { door } from './wiring.ts';

export const handler = serve(routeTable(door.ports), door);
