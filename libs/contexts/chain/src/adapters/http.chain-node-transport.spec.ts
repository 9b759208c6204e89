import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpTransport } from './http.chain-node-transport.ts';

describe('a node behind a password', () => {
  let server: Server;
  let shown: string | undefined;
  beforeAll(async () => {
    server = createServer((request, response) => {
      shown = Buffer.from((request.headers.authorization ?? '').replace('Basic ', ''), 'base64').toString();
      request.resume().on('end', () => response.end('{"jsonrpc":"2.0","id":1,"result":"0x1"}'));
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
  });
  afterAll(() => server.close());

  it.each([
    ['user:pa%40ss', 'user:pa@ss'],
    ['us%er:100%', 'us%er:100%'],
  ])('is shown what stands in its address, decoded where it can be: %s', async (given, decoded) => {
    const transport = new HttpTransport(`http://${given}@127.0.0.1:${(server.address() as AddressInfo).port}`);
    await transport.send([{ method: 'eth_chainId', params: [] }]);
    await transport.close();
    expect(shown).toBe(decoded);
  });
});
