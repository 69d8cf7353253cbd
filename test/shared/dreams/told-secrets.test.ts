// Goal: a secret is found however people tell it, and what only speaks of secrets is not taken for one.
import { expect, test } from 'vitest';
import { secretIn } from '#shared/dreams/secrets.ts';

test.each([
  'The password for the staging database is Tr0ub4dor&3.',
  'Password for staging: Tr0ub4dor&3',
  'password (staging): hunter2abc',
  'The password was changed to Tr0ub4dor&3 on Monday.',
  '| user | password |\n| admin | Tr0ub4dor&3 |\n| password | Tr0ub4dor&3 |',
  'Password - Tr0ub4dor&3',
  'Use the passphrase correct-horse-battery-9',
  'Log in as admin / Tr0ub4dor&3',
  'Das Passwort für staging ist Tr0ub4dor&3',
  'La contraseña de la base es Tr0ub4dor&3',
  'The PIN of the safe is 471193',
  'secret key: s3cr3tvalue99',
  'DB_PASS=Tr0ub4dor3',
  'pwd: Tr0ub4dor3',
  'psql --password Tr0ub4dor3',
  'call --api-key abcd1234efgh5678',
  'curl -u admin:Tr0ub4dor3 https://staging.example',
  'sshpass -p Tr0ub4dor3 ssh staging',
  'mysql -u root -pTr0ub4dor3',
  'Send Bearer abcd1234efgh5678ijkl',
])('%j tells a secret', (text) => {
  expect(secretIn(text)).toBeDefined();
});

test.each([
  'The password for the vault is stored in 1Password.',
  'Password for staging: see the wiki, page onboarding-2026.',
  'Password policy: at least 12 characters, changed every 90days.',
  'The token of the index is rebuilt at 03:00:00Z.',
  'The token limit of the model is 200000, its price $0.0015/1k.',
  'Each password of the store is hashed; the method for a password here is argon2id or sha3-512.',
  'The secret is in secret/data/app-2 and the token in tokens2.json.',
  'Send the password to ops2@example.com and never to a chat.',
  'Use --password-stdin and --token $TOKEN_2 or --token <your-token-1>.',
  'The api key is read from STAGING_API_KEY_2.',
  'Pin the dependency to version 20260101.',
  'The token for the session is sesn_01M8Q2NECEMG081QP51NRD56JV.',
  'tests: pass: 14of20, fail: 6',
])('%j tells none', (text) => {
  expect(secretIn(text)).toBeUndefined();
});
