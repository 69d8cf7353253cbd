/** Sealing under the key of the stack: through the product's adapter, as the roles that it has. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KmsCipher } from '#shared/core/cipher-kms.ts';
import { arn } from '../../infra/local/place.ts';
import { aFunction, allow, attribute, echo, role, startRig, type Rig } from './fixture.ts';

const keyArn = (id = 'Key'): string => arn('kms', `key/${id}`);
const context = { session_id: 'sesn_1', resource_id: 'sesrsc_1' };
const of_session = { StringLike: { 'kms:EncryptionContext:session_id': 'sesn_*' } };
let rig: Rig;

beforeAll(async () => {
  rig = await startRig({
    Key: { Type: 'AWS::KMS::Key', Properties: {} },
    Other: { Type: 'AWS::KMS::Key', Properties: {} },
    ...role('Sealer', allow('kms:Encrypt', attribute('Key'), of_session)),
    ...aFunction('Sealer', echo),
    ...role('Opener', allow('kms:Decrypt', attribute('Key'), of_session)),
    ...aFunction('Opener', echo),
  });
});
afterAll(() => rig.stop());

const cipherOf = (name?: string, key = keyArn()) =>
  new KmsCipher(key, name === undefined ? rig.host.aws : rig.host.awsAs(name));

test('what one role seals another opens, and nothing of it can be read in between', async () => {
  const sealed = await cipherOf('sealer').seal('ghp_tökén', context);
  expect(Buffer.from(sealed, 'base64').toString('latin1')).not.toContain('ghp_');
  expect(await cipherOf('sealer').seal('ghp_tökén', context)).not.toBe(sealed);
  const turned = { resource_id: 'sesrsc_1', session_id: 'sesn_1' };
  expect(await cipherOf('opener').open(sealed, turned)).toBe('ghp_tökén');
});

test.each([
  ['another value', { ...context, resource_id: 'sesrsc_2' }],
  ['one part less', { session_id: 'sesn_1' }],
  ['one part more', { ...context, more: '1' }],
])('it does not open under a context with %s', async (_, other) => {
  const sealed = await cipherOf().seal('token', context);
  await expect(cipherOf('opener').open(sealed, other)).rejects.toMatchObject({
    name: 'InvalidCiphertextException',
  });
});

test('it does not open under another key, nor when a bit of it was changed', async () => {
  const sealed = await cipherOf().seal('token', context);
  const invalid = { name: 'InvalidCiphertextException' };
  await expect(cipherOf(undefined, keyArn('Other')).open(sealed, context)).rejects.toMatchObject(
    invalid,
  );
  const bytes = Buffer.from(sealed, 'base64');
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await expect(cipherOf().open(bytes.toString('base64'), context)).rejects.toMatchObject(invalid);
  await expect(cipherOf().open('', context)).rejects.toMatchObject(invalid);
});

test('who may seal may not open, and neither may do it for what is no session', async () => {
  const denied = { name: 'AccessDeniedException' };
  const sealed = await cipherOf('sealer').seal('token', context);
  await expect(cipherOf('sealer').open(sealed, context)).rejects.toMatchObject(denied);
  await expect(cipherOf('opener').seal('token', context)).rejects.toMatchObject(denied);
  const elsewhere = { 'aws:s3:arn': 'arn:aws:s3:::content' };
  await expect(cipherOf('sealer').seal('token', elsewhere)).rejects.toMatchObject(denied);
});

test('a host that is started again opens what was sealed before', async () => {
  const sealed = await cipherOf().seal('token', context);
  await rig.host.stop();
  const host = await rig.again();
  const again = new KmsCipher(keyArn(), host.aws);
  expect(await again.open(sealed, context)).toBe('token');
  await host.stop();
});
