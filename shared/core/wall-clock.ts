/** Local times are held as the milliseconds that the same digits would be in UTC. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(zone, made);
  return made;
}

/**
 * What the clock on a wall of this zone shows.
 *
 * @param zone IANA name. @throws RangeError for a zone that there is not
 */
export function wallClock(at_ms: number, zone: string): number {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(at_ms)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const of = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  return Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
}

const DAY_MS = 86_400_000;

/**
 * The moment at which a wall's clock shows this. When clocks are put forward there are times that it
 * never shows: undefined. When they are put back there are some that it shows twice: the first.
 */
export function momentOf(wall_ms: number, zone: string): number | undefined {
  const offsetAt = (at_ms: number): number => wallClock(at_ms, zone) - at_ms;
  const moments = [wall_ms - DAY_MS, wall_ms + DAY_MS]
    .map((near_ms) => wall_ms - offsetAt(near_ms))
    .filter((at_ms) => wallClock(at_ms, zone) === wall_ms);
  return moments.length === 0 ? undefined : Math.min(...moments);
}
