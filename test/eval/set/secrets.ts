import { agent, bash, bashFails, reads, user, type SecretCase } from './material.ts';

/** Secrets as people and tools leave them in transcripts, in the forms of real ones. */
export const secrets: readonly SecretCase[] = [
  {
    id: 'secret-aws-key',
    form: 'access key id of AWS',
    pattern: 'AKIA<A16>',
    slots: {},
    scenes: [
      bash('env | grep AWS', 'AWS_REGION=eu-west-1\nAWS_ACCESS_KEY_ID={secret}'),
      agent('The region is set.'),
    ],
  },
  {
    id: 'secret-model-key',
    form: 'key of a model provider',
    pattern: 'sk-ant-api03-<m40>',
    slots: {},
    scenes: [
      user('For the upload use the key {secret} and always write it into the header.'),
      agent('Used.'),
    ],
  },
  {
    id: 'secret-database-url',
    form: 'password in a URL',
    pattern: 'postgres://report:<m12>@db-<d1>.internal:5432/reports',
    slots: {},
    scenes: [
      reads('/mnt/session/uploads/settings.ini', '[db]\nurl = {secret}\npool = 4'),
      agent('The reports database must be reached through the pool of four.'),
    ],
  },
  {
    id: 'secret-plain-password',
    form: 'password in a sentence',
    pattern: '<a6>!<A1><d1><a1><d2>',
    slots: { system: ['the archive', 'the portal'] },
    scenes: [
      user('For {system} the password is {secret}, you will always need it.'),
      agent('Thanks, I am in.'),
    ],
  },
  {
    id: 'secret-german-password',
    form: 'password in a German sentence',
    pattern: '<A1><a5>-<d4>-<a2>',
    slots: {},
    scenes: [
      user('Für das Archiv lautet das Passwort: {secret} und der Benutzer immer archiv.'),
      agent('Danke, es hat geklappt.'),
    ],
  },
  {
    id: 'secret-web-token',
    form: 'JSON web token',
    pattern: 'eyJhbGciOiJIUzI1NiJ9.eyJ<m24>.<m32>',
    slots: {},
    scenes: [
      bash('curl -si "$API/login"', 'HTTP/1.1 200 OK\nset-cookie: session={secret}; HttpOnly'),
      agent('The login works.'),
    ],
  },
  {
    id: 'secret-private-key',
    form: 'private key',
    pattern: 'MIIE<m60>',
    slots: {},
    scenes: [
      bash(
        'cat deploy.pem',
        '-----BEGIN RSA PRIVATE KEY-----\n{secret}\n-----END RSA PRIVATE KEY-----',
      ),
      agent('The key file is there.'),
    ],
  },
  {
    id: 'secret-chat-token',
    form: 'token of a chat service',
    pattern: 'xoxb-<d12>-<m24>',
    slots: {},
    scenes: [
      bashFails('notify "done"', 'invalid_auth for token {secret}'),
      agent('The notification must be sent by hand, because the token is refused.'),
    ],
  },
  {
    id: 'secret-bearer',
    form: 'authorization header',
    pattern: '<m12>.<m10>-<m12>',
    slots: {},
    scenes: [
      bash('cat request.log', '> GET /v2/rates\n> Authorization: Bearer {secret}\n< 200'),
      agent('The rates are loaded.'),
    ],
  },
  {
    id: 'secret-repository-token',
    form: 'token of a code host',
    pattern: 'ghp_<m36>',
    slots: {},
    scenes: [user('Clone with {secret}, we always use this one for the bot.'), agent('Cloned.')],
  },
];
