/** One side of a comparison: what a path held. Its text is that of the version. */
export interface Side {
  readonly path: string;
  readonly memory_id: string;
  readonly memory_version_id: string;
  readonly content_sha256: string;
}

/** What happened to one path. */
export type Pair =
  | { readonly change: 'added'; readonly path: string; readonly to: Side }
  | { readonly change: 'removed'; readonly path: string; readonly from: Side }
  | {
      /** `renamed` also when the text has changed with it. */
      readonly change: 'modified' | 'renamed';
      readonly path: string;
      readonly from: Side;
      readonly to: Side;
    };

/**
 * What differs, in the order of the paths' UTF-16 units. What left one path is paired with what came
 * to another by its id or else, when only one of each has it, by its text: agents rename by writing
 * anew, and stores that are copies of one another have other ids.
 */
export function pairsOf(from: readonly Side[], to: readonly Side[]): Pair[] {
  const before = new Map(from.map((side) => [side.path, side]));
  const after = new Map(to.map((side) => [side.path, side]));
  const pairs: Pair[] = to.flatMap((side) => {
    const old = before.get(side.path);
    if (old === undefined || old.content_sha256 === side.content_sha256) return [];
    return [{ change: 'modified', path: side.path, from: old, to: side }];
  });
  const left = from.filter(({ path }) => !after.has(path));
  const came = to.filter(({ path }) => !before.has(path));
  const by_id = new Map(left.map((side) => [side.memory_id, side]));
  const by_text = onlyOnes(left);
  const only_came = onlyOnes(came);
  const moved = new Set<Side>();
  for (const side of came) {
    const text = only_came.has(side.content_sha256) ? by_text.get(side.content_sha256) : undefined;
    const old = by_id.get(side.memory_id) ?? text;
    if (old === undefined || moved.has(old)) {
      pairs.push({ change: 'added', path: side.path, to: side });
      continue;
    }
    moved.add(old);
    pairs.push({ change: 'renamed', path: side.path, from: old, to: side });
  }
  for (const side of left) {
    if (!moved.has(side)) pairs.push({ change: 'removed', path: side.path, from: side });
  }
  return pairs.toSorted((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
}

/** By their texts, those whose text no other has. */
function onlyOnes(sides: readonly Side[]): Map<string, Side> {
  const found = new Map<string, Side | undefined>();
  for (const side of sides) {
    const { content_sha256 } = side;
    found.set(content_sha256, found.has(content_sha256) ? undefined : side);
  }
  return new Map([...found].flatMap(([hash, side]) => (side === undefined ? [] : [[hash, side]])));
}
