import { expect, test } from 'vitest';
import { readForm, summaryOf, type Form } from '#shared/door/form.ts';

/** Multipart bodies: what fetch sends is understood, and nothing else is guessed at. */

const requestOf = (body: Uint8Array | string | undefined, content_type?: string) => ({
  method: 'POST',
  path: '/v1/files',
  query: {},
  headers: content_type === undefined ? {} : { 'content-type': content_type },
  body,
});

/** As fetch encodes it, with a boundary of its own each time. */
async function sent(fill: (form: FormData) => void): Promise<Form> {
  const form = new FormData();
  fill(form);
  const response = new Response(form);
  const bytes = new Uint8Array(await response.arrayBuffer());
  return await readForm(requestOf(bytes, response.headers.get('content-type') ?? ''));
}

const file = (bytes: Uint8Array<ArrayBuffer>, name: string, type = 'application/pdf') =>
  new File([bytes], name, { type });

test('fields are texts, and a file keeps its name, type and every byte', async () => {
  const bytes = Uint8Array.from({ length: 512 }, (_, at) => at % 256);
  const { fields, files } = await sent((form) => {
    form.set('purpose', 'äö\r\n--x');
    form.set('file', file(bytes, 'Bericht "1" ü.pdf'));
  });
  expect(fields).toEqual({ purpose: 'äö\r\n--x' });
  expect(files).toEqual({
    file: { filename: 'Bericht "1" ü.pdf', media_type: 'application/pdf', bytes },
  });
});

const boundary = 'multipart/form-data; boundary=x';
const part = (name: string) => `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n1\r\n`;

test.each([
  ['no body', undefined, boundary, 'invalid', /no body/],
  ['JSON', '{}', 'application/json', 'media', /must be multipart\/form-data/],
  ['no content type', 'a', undefined, 'media', /must be multipart\/form-data/],
  ['no boundary', `${part('a')}--x--\r\n`, 'multipart/form-data', 'invalid', /not valid multipart/],
  ['no end', part('a'), boundary, 'invalid', /not valid multipart/],
  ['garbage', '\0\r\n', boundary, 'invalid', /not valid multipart/],
  ['a name twice', `${part('a')}${part('a')}--x--\r\n`, boundary, 'invalid', /'a' twice/],
  ['a prototype', `${part('__proto__')}--x--\r\n`, boundary, 'invalid', /not allowed/],
])('%s is refused', async (...[, body, type, kind, message]) => {
  await expect(readForm(requestOf(body, type))).rejects.toMatchObject({
    kind,
    message: expect.stringMatching(message),
  });
});

test('two forms say the same when all but their boundary is equal', async () => {
  const one = (bytes: number[], name = 'a.txt', type = 'text/plain', field = '1') =>
    sent((form) => {
      form.set('field', field);
      form.set('file', file(Uint8Array.from(bytes), name, type));
    });
  const summary = async (...args: Parameters<typeof one>): Promise<string> =>
    JSON.stringify(summaryOf(await one(...args)));
  const first = await summary([1, 2]);
  expect(await summary([1, 2])).toBe(first);
  const others = await Promise.all([
    summary([1, 3]),
    summary([1, 2], 'b.txt'),
    summary([1, 2], 'a.txt', 'text/csv'),
    summary([1, 2], 'a.txt', 'text/plain', '2'),
  ]);
  expect(others).not.toContain(first);
});
