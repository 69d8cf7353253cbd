import type { ApiRouteName } from '#shared/routes.ts';
import type { Route } from '#shared/door/route.ts';

export type Routes<Name extends ApiRouteName> = Readonly<Record<Name, Route>>;

/** They are parsed when one of them is first asked for: no part of a cold start. */
export function later<Name extends ApiRouteName>(
  names: readonly Name[],
  load: () => Promise<Routes<Name>>,
): Routes<Name> {
  let loading: Promise<Routes<Name>> | undefined;
  const routes = names.map((name): [Name, Route] => [
    name,
    async (request) => {
      // What fails once, for want of a file handle as it may be, is tried again.
      loading ??= load().catch((cause: unknown) => {
        loading = undefined;
        throw cause;
      });
      return await (await loading)[name](request);
    },
  ]);
  return Object.fromEntries(routes) as Routes<Name>;
}
