import { asSent } from './mutations.ts';
import { idNames, routeNames, sampleOf, type Sample } from './samples.ts';
import { Sender } from './send.ts';
import type { Random } from './random.ts';
import type { Field } from './siege.ts';
import { unknownId } from './texts.ts';

/** A request with another's id in one place, and the same with an id that nobody has. */
interface Pair {
  readonly what: string;
  readonly foreign: Sample;
  readonly unknown: Sample;
  readonly ids: readonly [foreign: string, unknown: string];
}

/** What tells another workspace's thing from one that there is not: one line for each. */
export async function strangersOf({ rig, own, other }: Field, random: Random): Promise<string[]> {
  const sender = new Sender(rig.host.base_url);
  const told: string[] = [];
  for (const route of routeNames) {
    const sample = await sampleOf(route, own);
    for (const { what, foreign, unknown, ids } of pairsOf(sample, other.ids, random)) {
      const answers = [];
      for (const one of [foreign, unknown]) {
        const { status, text } = await sender.send(asSent(one, own.key));
        answers.push(`${status} ${without(text, ids)}`);
      }
      const [first = '', second = ''] = answers;
      if (first !== second) told.push(`${route}, ${what}: ${first} / ${second}`);
      // A list that is asked for another's things is empty; all else is not found.
      const is_list = what.startsWith('query') && first.startsWith('200');
      if (!is_list && !/^40[04] /.test(first)) told.push(`${route}, ${what}: ${first}`);
    }
  }
  sender.close();
  return told;
}

function pairsOf(sample: Sample, others: Field['other']['ids'], random: Random): Pair[] {
  const kin = (id: string): string | undefined =>
    Object.values(others).find((one) => prefixOf(one) === prefixOf(id) && one !== id);
  const pairOf = (what: string, id: string, put: (id: string) => Sample): Pair[] => {
    const foreign = kin(id);
    if (foreign === undefined) return [];
    const unknown = unknownId(random, foreign);
    return [{ what, foreign: put(foreign), unknown: put(unknown), ids: [foreign, unknown] }];
  };
  const in_path = idNames(sample.route).flatMap((name) =>
    pairOf(`path ${name}`, sample.ids[name] ?? '', (id) => {
      return { ...sample, ids: { ...sample.ids, [name]: id } };
    }),
  );
  const in_query = Object.entries(sample.query).flatMap(([name, value]) =>
    pairOf(`query ${name}`, value, (id) => ({ ...sample, query: { ...sample.query, [name]: id } })),
  );
  const text = JSON.stringify(sample.body ?? null);
  const ids = new Set(text.match(/[a-z]+_[0-9A-Za-z]{20,}/g) ?? []);
  const in_body = [...ids].flatMap((id) =>
    pairOf(`body ${prefixOf(id)}`, id, (put) => {
      return { ...sample, body: JSON.parse(text.replaceAll(id, put)) as unknown };
    }),
  );
  return [...in_path, ...in_query, ...in_body];
}

function prefixOf(id: string): string {
  return id.slice(0, id.indexOf('_'));
}

/** An answer without what differs by nature: the id itself, and that of the request. */
function without(text: string, ids: readonly string[]): string {
  const same = ids.reduce((rest, id) => rest.replaceAll(id, 'ID'), text);
  return same.replaceAll(/"request_id":"[^"]*"/g, '').slice(0, 2_000);
}
