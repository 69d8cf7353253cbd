import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import { toldSecrets } from './told-secrets.ts';

/**
 * Forms of secrets that secretlint's rules do not have or find in source code only, by what they are.
 * Each must be found in any text and match nothing harmless.
 */
const forms: readonly (readonly [name: string, form: RegExp])[] = [
  ['private key', /-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/],
  ['AWS access key', /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b/],
  ['Anthropic key', /\bsk-ant-[\w-]{16,}/],
  ['OpenAI key', /\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,}/],
  ['Stripe key', /\b[rs]k_(?:live|test|prod)_[A-Za-z0-9]{10,}/],
  ['GitHub token', /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{22,})/],
  ['GitLab token', /\bgl(?:pat|dt|rt|cbt|ptt|soat)-[\w-]{20,}/],
  ['Slack token', /\bxox[abeoprs]-[\w-]{10,}|\bxapp-\d-[\w-]{10,}/],
  ['Slack webhook', /hooks\.slack\.com\/(?:services|workflows)\/[\w/+-]{20,}/],
  ['Discord webhook', /discord(?:app)?\.com\/api\/webhooks\/\d+\/[\w-]{20,}/],
  ['Google API key', /\bAIza[\w-]{35}/],
  ['Google OAuth secret', /\bGOCSPX-[\w-]{20,}|\bya29\.[\w-]{20,}/],
  ['npm token', /\bnpm_[A-Za-z0-9]{36}/],
  ['PyPI token', /\bpypi-[\w-]{50,}/],
  ['Hugging Face token', /\bhf_[A-Za-z0-9]{30,}/],
  ['SendGrid key', /\bSG\.[\w-]{16,}\.[\w-]{16,}/],
  ['Twilio key', /\b(?:SK|AC)[0-9a-f]{32}\b/],
  ['Mailgun key', /\bkey-[0-9a-f]{32}\b/],
  ['DigitalOcean token', /\bdo[opr]_v1_[0-9a-f]{64}/],
  ['Shopify token', /\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}/],
  ['HashiCorp Vault token', /\bhv[sbr]\.[\w-]{24,}/],
  ['webhook secret', /\bwhsec_[A-Za-z0-9+/=]{24,}/],
  ['age key', /\bAGE-SECRET-KEY-1[0-9A-Z]{50,}/],
  ['JSON web token', /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/],
  ['Azure storage key', /\bAccountKey=[A-Za-z0-9+/=]{40,}/i],
  ['signed URL', /[?&](?:X-Amz-Signature|sig|X-Goog-Signature)=[\w%+/=-]{16,}/i],
  [
    'password in a URL',
    /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@'"]*:(?![<$*{%]|password@|x+@)[^\s:/@'"]{3,}@/i,
  ],
  [
    'authorization header',
    /\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic|token)\s+(?![<$*{])[\w.~+/=-]{12,}/i,
  ],
];

/** A name that says that its value is secret, and the value. */
const ASSIGNED =
  /\b[\w.-]*(?:passw(?:or)?d|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|client[_-]?secret)["'`]?\s*(?:=>|:=|[:=]|\bis\b)\s*["'`]?([^\s"'`,;)]{6,})/gi;

/** The same in other languages, where a verb or a particle may stand between. */
const ASSIGNED_ELSEWHERE =
  /(?:passwort|kennwort|zugangscode|mot de passe|contraseña|senha|wachtwoord|hasło|пароль\p{L}*|密码|密碼|口令|パスワード)["'`]?\s*(?:=|:|：|(?:ist|lautet|est|es|é|è|is|to|это)(?!\p{L})|是|は)\s*:?\s*["'`]?([^\s"'`,;)，。]{6,})/giu;

/** Runs that may be keys of forms that nobody has listed. */
const RUN = /\b[A-Za-z0-9+/_-]{32,}={0,2}/g;

/** The kind of the first secret in a text, also where it is disguised; undefined when there is none. */
export function secretIn(text: string): string | undefined {
  const disguised = [plainOf(text), ...decodedIn(text)].filter((other) => other !== text);
  return [text, ...disguised].map(secretAsIs).find((kind) => kind !== undefined);
}

/** Without what splits a key for the eye only: unseen characters, and strings that are put together. */
function plainOf(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[\p{Cf}]/gu, '')
    .replaceAll(/["'`]\s*[+.&]?\s*\n?\s*["'`]/g, '')
    .replaceAll(/\b(?:AKIA|ASIA)(?:[ .-]?[A-Z2-7]){16}\b/g, withoutGaps);
}

/** A name of a continent in capitals is followed by words; a key has a digit. */
function withoutGaps(run: string): string {
  const key = run.replaceAll(/[ .-]/g, '');
  return /\d/.test(key) ? key : run;
}

const ENCODED = /(?:[0-9a-f]{2}){12,}|[A-Za-z0-9+/_-]{16,}={0,2}/gi;
const PRINTABLE = /^[\x20-\x7e\s]{12,}$/;

/** What stands in a text in hexadecimal or base64, where it is words. */
function decodedIn(text: string): string[] {
  return (text.match(ENCODED) ?? []).flatMap((run) =>
    (['hex', 'base64'] as const)
      .map((encoding) => Buffer.from(run, encoding).toString('latin1'))
      .filter((decoded) => PRINTABLE.test(decoded)),
  );
}

function secretAsIs(text: string): string | undefined {
  const known = forms.find(([, form]) => form.test(text));
  if (known !== undefined) return known[0];
  const kept = scanners.find((rule) => finds(rule, text));
  if (kept !== undefined) return kept.meta.id.replace(/^.*secretlint-rule-/, '');
  const assigned = [ASSIGNED, ASSIGNED_ELSEWHERE].flatMap((form) => [...text.matchAll(form)]);
  if (assigned.some(([, value = '']) => looksAssigned(value))) return 'assigned secret';
  if (toldSecrets(text).some(isNoPlaceholder)) return 'told secret';
  return (text.match(RUN) ?? []).some(looksRandom) ? 'random characters' : undefined;
}

/** What of a rule of secretlint is used; its own types are in a package that only it needs. */
interface Scanner {
  readonly meta: { readonly id: string };
  create(
    context: {
      createTranslator(): () => object;
      report(): void;
      ignore(): void;
      readonly sharedOptions: object;
    },
    options: object,
  ): { file?(source: object): unknown };
}

/**
 * Of the preset: comments that switch rules off count for nothing here, and passwords in addresses are
 * found by a form of ours, which knows placeholders.
 */
const UNUSED = /(?:filter-comments|database-connection-string|basicauth)$/;

/** The rules that others keep up with new kinds of keys. */
const scanners: readonly Scanner[] = (rules as readonly Scanner[]).filter(
  ({ meta }) => !UNUSED.test(meta.id),
);

/** Its rules work on a whole text at once, without waiting for anything. */
function finds(rule: Scanner, content: string): boolean {
  let found = false;
  const handlers = rule.create(
    {
      createTranslator: () => () => ({}),
      report: () => {
        found = true;
      },
      ignore: () => undefined,
      sharedOptions: {},
    },
    {},
  );
  handlers.file?.({ content, contentType: 'text', filePath: '/memory.md', ext: '.md' });
  return found;
}

const PLACEHOLDER =
  /^(?:[<$*{%[(]|x{3,}|\.{3}|your|example|placeholder|changeme|redacted|null|none|true|false|undefined|process\.env|os\.environ|env\.|required|missing|invalid|expired|stored|rotated)|\.\.\.$/i;

function isNoPlaceholder(value: string): boolean {
  return !PLACEHOLDER.test(value) && !/^[A-Z][A-Z0-9_]*$/.test(value);
}

/** Not a placeholder, not a name of a variable, not a word of a sentence. */
function looksAssigned(value: string): boolean {
  if (!isNoPlaceholder(value)) return false;
  const is_word = /^\p{L}+(?:[-_./]\p{L}+)*[.:!?]?$/u.test(value);
  return !is_word && entropyOf(value) >= 2.5;
}

/** Ids of ours and hashes are no secrets: hexadecimal, or one ULID behind a prefix. */
function looksRandom(run: string): boolean {
  if (/^[0-9a-f-]+$/i.test(run) || /^[a-z]+_[0-9A-HJKMNP-TV-Z]{26}$/.test(run)) return false;
  if (run.includes('/') && !/[+=]/.test(run)) return false;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/].filter((kind) => kind.test(run)).length;
  return kinds === 3 && entropyOf(run) >= 4.2;
}

/** Bits a character. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values())
    bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
