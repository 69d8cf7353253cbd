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
  ['::7f00:1', false],
  ['::a9fe:a9fe', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:169.254.169.254', false],
  ['::ffff:8.8.8.8', true],
  ['fe80::1', false],
  ['fec0::1', false],
  ['fc00::1', false],
  ['fd00:ec2::254', false],
  ['64:ff9b::7f00:1', false],
  ['64:ff9b::a9fe:a9fe', false],
  ['64:ff9b:1::a9fe:a9fe', false],
  ['2002:a9fe:a9fe::', false],
  ['::ffff:0:127.0.0.1', false],
  ['fe80::1%eth0', false],
  ['100::1', false],
  ['2001:db8::1', false],
  ['198.51.100.1', false],
  ['203.0.113.1', false],
  ['192.88.99.1', false],
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
  ['http://2852039166/'],
  ['http://0xa9.0xfe.0xa9.0xfe/'],
  ['http://0251.0376.0251.0376/'],
  ['http://[64:ff9b::a9fe:a9fe]/'],
  ['http://[2002:a9fe:a9fe::]/'],
  ['http://user:secret@127.0.0.1/'],
  ['http://93.184.215.14@127.0.0.1/'],
  ['http://127.0.0.1%2f@10.0.0.1/'],
  ['http://\u2460\u2461\u2466.0.0.1/'],
  ['http://93.184.215.14:25/'],
  ['http://93.184.215.14:22/'],
  ['https://93.184.215.14:6/'],
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

const inner_targets = [
  'http://169.254.169.254/latest/meta-data/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://[fd00:ec2::254]/',
  'http://0x7f.1/',
  '//2130706433/',
  'http://moved.example/',
  'http://93.184.215.14:25/',
  'file:///etc/passwd',
  'gopher://a.example/',
];

test.each(inner_targets)('a redirect to %s is refused before it is connected', async (location) => {
  const server = createServer((socket) => {
    socket.once('data', () => {
      socket.end(`HTTP/1.1 302 Found\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  let connected = 0;
  const there = dialerTo(port);
  const dialer: Dialer = {
    resolve: async (name) => (name === 'moved.example' ? ['10.0.0.1'] : ['93.184.215.14']),
    connect: (...where) => {
      connected += 1;
      return there.connect(...where);
    },
  };
  const fetched = publicFetch(dialer, 'http://user:secret@a.example/', options);
  await expect(fetched).rejects.toMatchObject({ name: 'RequestRefused' });
  expect(connected).toBe(1);
  server.close();
});

test('a name that is public at first and inner at the redirect to itself is refused there', async () => {
  const server = createServer((socket) => {
    socket.once('data', (data) => {
      expect(data.toString('latin1')).not.toMatch(/authorization|secret/i);
      socket.end('HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\n\r\n');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const answers = [['93.184.215.14'], ['127.0.0.1']];
  const dialer = { ...dialerTo(port), resolve: async () => answers.shift() ?? [] };
  const fetched = publicFetch(dialer, 'http://user:secret@a.example/', options);
  await expect(fetched).rejects.toMatchObject({ name: 'RequestRefused' });
  expect(answers).toEqual([]);
  server.close();
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

test('an answer that switches to another protocol is a failure, and not waited for for ever', async () => {
  const server = createServer((socket) => {
    socket.once('data', () =>
      socket.end(
        'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
      ),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await expect(publicFetch(dialerTo(port), 'http://switch.example/', options)).rejects.toThrow(
    'The connection failed.',
  );
  server.close();
});
