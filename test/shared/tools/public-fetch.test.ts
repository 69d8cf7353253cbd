import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { isPublic, publicFetch, type Dialer } from '#shared/tools/public-fetch.ts';
import { dialerTo } from './rig.ts';

const addresses: [address: string, is_public: boolean][] = [
  ['8.8.8.8', true],
  ['93.184.215.14', true],
  ['2606:4700::1111', true],
  ['127.0.0.1', false],
  ['127.255.255.254', false],
  ['0.0.0.0', false],
  ['10.0.0.1', false],
  ['172.16.0.1', false],
  ['172.31.255.255', false],
  ['172.32.0.1', true],
  ['192.168.1.1', false],
  ['169.254.169.254', false],
  ['169.254.170.2', false],
  ['100.64.0.1', false],
  ['192.0.0.1', false],
  ['192.0.2.1', false],
  ['198.18.0.1', false],
  ['224.0.0.1', false],
  ['240.0.0.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', false],
  ['::127.0.0.1', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:169.254.169.254', false],
  ['::ffff:8.8.8.8', true],
  ['fe80::1', false],
  ['fec0::1', false],
  ['fc00::1', false],
  ['fd00:ec2::254', false],
  ['64:ff9b::7f00:1', false],
  ['2002:7f00:1::', false],
  ['2001:0::1', false],
  ['ff02::1', false],
  ['not an address', false],
];

test.each(addresses)('%s is public: %s', (address, is_public) => {
  expect(isPublic(address)).toBe(is_public);
});

const options = {
  method: 'GET',
  headers: {},
  redirects_max: 5,
  body_bytes_max: 1_000,
  timeout_ms: 2_000,
  signal: new AbortController().signal,
  allow: () => {},
};

test.each([
  ['http://0x7f000001/'],
  ['http://0177.0.0.1/'],
  ['http://127.1/'],
  ['http://2130706433/'],
  ['http://[::ffff:7f00:1]/'],
  ['http://[fd00:ec2::254]/'],
  ['http://169.254.169.254/latest/'],
  ['http://127.0.0.1.nip.example/'],
  ['gopher://a.example/'],
  ['file:///etc/passwd'],
  ['javascript:alert(1)'],
  ['not a url'],
])('%s is refused before anything is connected', async (url) => {
  let connected = 0;
  const dialer: Dialer = {
    resolve: async () => ['127.0.0.1'],
    connect: () => {
      connected += 1;
      throw new Error('connected');
    },
  };
  await expect(publicFetch(dialer, url, options)).rejects.toMatchObject({ name: 'RequestRefused' });
  expect(connected).toBe(0);
});

test('a name with one public and one inner address is refused: the connection could take either', async () => {
  const dialer = { ...dialerTo(1), resolve: async () => ['93.184.215.14', '10.0.0.1'] };
  await expect(publicFetch(dialer, 'http://a.example/', options)).rejects.toMatchObject({
    name: 'RequestRefused',
  });
});

test('the connection goes to the address that was checked, also when the name changes meanwhile', async () => {
  const answers = [['93.184.215.14'], ['127.0.0.1']];
  const dialed: string[] = [];
  const dialer: Dialer = {
    resolve: async () => answers.shift() ?? [],
    connect: (address) => {
      dialed.push(address);
      throw new Error('dialed');
    },
  };
  await expect(publicFetch(dialer, 'http://a.example/', options)).rejects.toThrow(
    'The connection failed.',
  );
  expect(dialed).toEqual(['93.184.215.14']);
});

test('https speaks TLS to the checked address under the name of the URL', async () => {
  let hello = Buffer.alloc(0);
  const server = createServer((socket) => {
    socket.once('data', (data) => {
      hello = data;
      socket.destroy();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await expect(publicFetch(dialerTo(port), 'https://secure.example/', options)).rejects.toThrow(
    'The connection failed.',
  );
  server.close();
  expect(hello[0]).toBe(0x16);
  expect(hello.toString('latin1')).toContain('secure.example');
});
