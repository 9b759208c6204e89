import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { KeyPurse, Permit, SpendingOutcome, Tariff } from '../contracts/index.ts';
import { HttpKeyProbe } from './http.key-probe.ts';

const TARIFF: Tariff = { provider: 'infura', title: 'Infura', unit: 'credits', ledgers: { units: { default: 1, methods: {}, batch: 0, push: { each: 0, perByte: 0 } } }, limits: [], mostCallsPerRequest: 1, unsupported: [], slackMs: 0 };

describe('a probe of a key', () => {
  let server: Server;
  let httpUrl: string;
  let answer: { status: number; body: (method: string) => string };
  let reopened: string[];
  let outcomes: SpendingOutcome[];

  beforeAll(async () => {
    server = createServer((request, response) => {
      let asked = '';
      request.on('data', (piece: Buffer) => (asked += piece.toString()));
      request.on('end', () => {
        response.writeHead(answer.status, { 'content-type': 'application/json' });
        response.end(answer.body((JSON.parse(asked) as { method: string }).method));
      });
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    httpUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3/hunter2`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    [reopened, outcomes] = [[], []];
  });

  const probe = (httpUrls = [httpUrl]) => {
    const purse = { acquire: () => Promise.resolve({ key: 'infura-1' } as Permit), settle: (_permit: Permit, outcome: SpendingOutcome) => void outcomes.push(outcome) } as unknown as KeyPurse;
    const reopen = (alias: string): Promise<void> => Promise.resolve(void reopened.push(alias));
    return new HttpKeyProbe(purse, () => [{ alias: 'infura-1', tariff: TARIFF, httpUrls }], reopen).probe('infura-1');
  };
  const inTenths = /^\d+(\.\d)?$/;

  it('tells chain, head and how long it took in tenths of a millisecond', async () => {
    answer = { status: 200, body: (method) => JSON.stringify({ result: method === 'eth_chainId' ? '0x1' : '0x46' }) };
    const { ms, ...found } = await probe();
    expect(found).toEqual({ alias: 'infura-1', ok: true, chainId: '1', head: 70, class: 'ok' });
    expect(String(ms)).toMatch(inTenths);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['answered', 'answered']);
  });

  it('tells as much of an answer that is bad', async () => {
    answer = { status: 401, body: () => 'invalid project id' };
    const { ms, ...found } = await probe();
    expect(found).toEqual({ alias: 'infura-1', ok: false, chainId: null, head: null, class: 'revoked', message: 'HTTP 401' });
    expect(String(ms)).toMatch(inTenths);
    expect(outcomes).toHaveLength(1);
  });

  it('asks with each secret of a key, and says with which it is refused', async () => {
    answer = { status: 200, body: (method) => (method === 'eth_chainId' ? '{"result":"0x1"}' : '{"result":"0x46"}') };
    expect(await probe([httpUrl, httpUrl])).toMatchObject({ ok: true });
    expect(outcomes).toHaveLength(4);
    outcomes = [];
    answer = { status: 401, body: () => 'invalid project id' };
    expect(await probe([httpUrl, httpUrl])).toMatchObject({ ok: false, class: 'revoked', message: 'secret 1 of 2: HTTP 401; secret 2 of 2: HTTP 401' });
    expect(outcomes.map((outcome) => 'hasAnother' in outcome)).toEqual([true, false]);
  });

  it('gives a revoked key another try', async () => {
    await probe();
    expect(reopened).toEqual(['infura-1']);
  });
});
