import { parseBody } from '#shared/core/parse.ts';
import type { Route } from '#shared/door/route.ts';
import { createDream as create } from '#shared/dreams/create-dream.ts';
import type { DreamPorts } from '#shared/dreams/dream-ports.ts';
import { DreamCreate } from '#shared/dreams/dream-wire.ts';

/** POST /v1/dreams: 200 with the pending dream, 400, 404, or 409 while its store is held. */
export function createDream(ports: DreamPorts): Route {
  return async ({ body, call }) => {
    return { status: 200, body: await create(ports, call, parseBody(DreamCreate, body)) };
  };
}
