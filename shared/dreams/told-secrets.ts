/** What people call a secret, in the languages that the rules for orders know. */
const NAMED = String.raw`(?:pass(?:word|wd|phrase|code)|passwort|kennwort|zugangscode|mot de passe|contraseña|senha|wachtwoord|hasło|пароль|密码|密碼|口令|パスワード|(?:api|access|secret|private)[ _-]?key|secret|token)`;

/** What may stand between the name and the value: `for staging is`, `(staging):`, a cell of a table. */
const GIVES = String.raw`(?:[:=：]|(?<!\p{L})(?:is|are|was|to|ist|lautet|est|es|é|è|это)(?!\p{L})|是|は|\s[-–—|/](?=\s))`;

/** With a digit: else the first word behind the name would pass for the value. */
const VALUE = String.raw`["'\x60]?(?=\S*\d)([^\s"'\x60,;|)，。]{6,})`;

/** Ways to tell a secret that no assignment is: a sentence, a row of a table, an option of a command. */
const TOLD: readonly RegExp[] = [
  new RegExp(String.raw`(?<!\p{L})${NAMED}(?!\p{L})[^\n.;!?]{0,60}?${GIVES}\s*${VALUE}`, 'giu'),
  new RegExp(String.raw`(?<!\p{L})${NAMED}\s+${VALUE}`, 'giu'),
  new RegExp(String.raw`(?:^|[\s_-])(?:pass|pwd|pw)\s*[:=]\s*${VALUE}`, 'gimu'),
  new RegExp(String.raw`\s--?(?:pass(?:word|wd|phrase)?|token|secret|api-key)[ =]${VALUE}`, 'giu'),
  new RegExp(String.raw`\s-u\s+[\w.@-]+:${VALUE}`, 'giu'),
  new RegExp(String.raw`\b(?:sshpass\s+-p\s*|mysql\b[^\n]{0,60}\s-p)${VALUE}`, 'giu'),
  new RegExp(String.raw`\bbearer\s+${VALUE}`, 'giu'),
  new RegExp(String.raw`\b(?:log|sign) ?in\b[^\n.;]{0,40}\s\/\s${VALUE}`, 'giu'),
];

/** A PIN has digits only, and is told from others by its name. */
const PIN = /\b(?:PIN|passcode|pin code)\b[^\n.;]{0,30}?(?:[:=]|\b(?:is|ist)\b)\s*\d{4,8}\b/;

/** Names of methods, which have digits as well. */
const METHOD = /^(?:sha|md|bcrypt|argon|scrypt|pbkdf|base|aes|rsa|hs|rs|es|ed|oauth|utf|x)-?\d/i;

/** Numbers with their units, versions, addresses, files, ids of ours. */
const PLAIN =
  /^[\d.,:%/-]+\p{L}{0,6}$|^v?\d+(?:\.\d+)+|\/|^[^@]+@[\w-]+\.|^[\w-]+\.[a-z]{2,5}$|^[a-z]+_[0-9A-HJKMNP-TV-Z]{26}$/u;

/**
 * The values that a text gives as secrets. Only what looks made up: a word of a sentence, however near it
 * stands to the word `password`, is none.
 */
export function toldSecrets(text: string): string[] {
  const pin = PIN.exec(text);
  const told = TOLD.flatMap((form) => [...text.matchAll(form)])
    .map(([, value = '']) => value.replace(/[.!?:]+$/, ''))
    .filter(looksMade);
  return pin === null ? told : [pin[0], ...told];
}

function looksMade(value: string): boolean {
  if (METHOD.test(value) || PLAIN.test(value)) return false;
  if (!/\d/.test(value) || !/\p{L}/u.test(value)) return false;
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\d/, /[^\p{L}\d]/u].filter((kind) =>
    kind.test(value),
  ).length;
  return value.length >= 8 || (kinds >= 3 && value.length >= 6);
}
