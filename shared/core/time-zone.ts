import * as z from 'zod';
import { limits } from './limits.ts';

/** The IANA name of a time zone. */
export const TimeZone = z
  .string()
  .max(limits.timezone_chars_max)
  .superRefine((zone, context) => {
    const message = faultOfZone(zone);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

/** @returns what is wrong with it, where it is no name of a zone that EventBridge would take too */
export function faultOfZone(zone: string): string | undefined {
  const unknown = `is no IANA time zone. Use a name like 'Europe/Berlin' or 'UTC'.`;
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(zone)) return unknown;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions();
    // Intl does not mind the case, the time zone database does.
    const is_same = timeZone.toLowerCase() === zone.toLowerCase();
    if (is_same && timeZone !== zone) return `must be written as '${timeZone}'.`;
    return /^[a-z]/.test(zone) ? unknown : undefined;
  } catch {
    return unknown;
  }
}
