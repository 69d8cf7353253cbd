import type { Random } from './random.ts';

/** Texts that have broken somebody's parser, store, log or path. */
export const odd_texts: readonly string[] = [
  '',
  ' ',
  '\t\n',
  'null',
  'undefined',
  '0',
  '-1',
  'true',
  '[object Object]',
  '../../../etc/passwd',
  '/mnt/session/../../../etc/shadow',
  '..\\..\\windows',
  '%2e%2e%2f',
  '%00',
  'a\u0000b',
  '\u0000',
  '\u001b[31mred',
  '\u202egnp.exe',
  '\u2066hidden\u2069',
  '\ufeffbom',
  '\u200b',
  'e\u0301 is not \u00e9',
  '\u1e9b\u0323',
  '𝒳𝒴𝒵 👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  'ﷺ'.repeat(50),
  'Z̸̢̛̼͎̗̈́͐a̵̖͙͛lg̷o',
  '\uffff',
  '\ufdd0',
  '{{7*7}}${7*7}<%= 7*7 %>',
  "'; DROP TABLE sessions; --",
  '<script>alert(1)</script>',
  '$(reboot)`reboot`',
  '() { :; }; echo x',
  '{"type":"object"}',
  'a'.repeat(257),
  'x'.repeat(2_049),
  'é'.repeat(5_000),
  'HEAD',
  '__proto__',
  'constructor',
  'https://169.254.169.254/latest/meta-data/',
  'file:///etc/passwd',
  '9999-12-31T23:59:59.999Z',
  '2026-02-30T00:00:00Z',
  '1e400',
];

/** A text larger than some bound. */
export function longText(random: Random): string {
  const size = random.of([1_025, 4_097, 65_537, 102_401, 262_145, 400_001]);
  return random.of(['a', 'é', '界', '"', '\\', '\n', '/']).repeat(size);
}

/** Ids of the right look that nobody has. */
export function unknownId(random: Random, like: string): string {
  const prefix = like.includes('_') ? like.slice(0, like.lastIndexOf('_') + 1) : 'sesn_';
  const body = Array.from({ length: 26 }, () =>
    random.of('0123456789ABCDEFGHJKMNPQRSTVWXYZ'.split('')),
  );
  return prefix + body.join('');
}

/** Ids of a wrong form, made of a good one. */
export function brokenId(random: Random, id: string): string {
  return random.of([
    '',
    id.toLowerCase(),
    ` ${id}`,
    `${id} `,
    `${id}0`,
    id.slice(0, -1),
    `${id}/..`,
    `${id}#HEAD`,
    `${id}%00`,
    id.replace('_', '-'),
    `${id},${id}`,
    id.slice(id.indexOf('_') + 1),
    `THREAD#${id}`,
    'x'.repeat(3_000),
    `${id.slice(0, 8)}\u202e${id.slice(8)}`,
  ]);
}
