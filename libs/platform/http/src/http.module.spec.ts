import { createHash } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Controller, Get, HttpException, Inject, Module, NotFoundException, Post, ServiceUnavailableException } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { Test } from '@nestjs/testing';
import type { TellOptions } from '#platform/actors';
import { ChainfoldError, type ErrorKind } from '#platform/kernel';
import { z } from 'zod';
import { Answers, createHttpAdapter, FromBody, FromCommandHeaders, FromPath, FromQuery, HttpModule, limit, Needs, pageAnswer, type AccessToken } from './index.ts';

const secret = 'postgres://user:hunter2@internal/db';
const thing = z.strictObject({ id: z.string(), size: z.int(), age: z.int().optional() }).meta({ id: 'Thing' });
let fail: () => unknown;

@Controller('api/v1/things')
class ThingsController {
  @Get()
  @Answers({ summary: 'Things', schema: pageAnswer(thing) })
  list(@FromQuery(z.strictObject({ limit })) query: { limit: number }): object {
    return { items: [{ id: 'a', size: query.limit }], next: null, asOf: 'x1' };
  }

  @Get('failing')
  failing(): unknown {
    return fail();
  }

  @Get('lines')
  @Answers({ summary: 'Things line by line', mediaType: 'application/x-ndjson', schema: thing })
  lines(): string {
    return '';
  }

  @Get(':id')
  @Answers({ summary: 'One thing', schema: thing, volatile: ['age'], refusals: { 404: 'No such thing' } })
  one(@FromPath(z.object({ id: z.string().regex(/^[a-z]+$/, 'Takes letters') })) path: { id: string }): object {
    return { id: path.id, size: 1, age: Number(process.hrtime.bigint() % 1000n) };
  }

  @Post(':id/orders')
  @Needs('trade')
  @Answers({ summary: 'Orders', schema: z.strictObject({ commandId: z.string().optional(), trace: z.string().optional() }) })
  orders(@FromBody(z.strictObject({ amount: z.string() })) _body: object, @FromCommandHeaders() { commandId, trace }: TellOptions): object {
    return { commandId, trace };
  }
}

@Controller('health')
class HealthController {
  @Get('ready')
  ready(): never {
    throw new ServiceUnavailableException({ status: 'error', info: {}, error: { head: { status: 'down' } }, details: { head: { status: 'down' } } });
  }
}

/** As the page does. Awaiting it boots the server before the framework has put its own handler of errors there. */
@Module({})
class EarlyPlugin {
  readonly #http: HttpAdapterHost<FastifyAdapter>;

  constructor(@Inject(HttpAdapterHost) http: HttpAdapterHost<FastifyAdapter>) {
    this.#http = http;
  }

  async onModuleInit(): Promise<void> {
    await this.#http.httpAdapter.getInstance<FastifyInstance>().register(async () => undefined);
  }
}

describe('the web server', () => {
  let app: NestFastifyApplication;
  const open = async (accessTokens: readonly AccessToken[] = []): Promise<void> => {
    const imports = [EarlyPlugin, HttpModule.register({ info: { title: 'Test <b>', version: '1.0.0', description: 'of a test' }, accessTokens })];
    const module = await Test.createTestingModule({ imports, controllers: [ThingsController, HealthController] }).compile();
    app = module.createNestApplication<NestFastifyApplication>(createHttpAdapter(), { logger: false });
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  };
  const get = async (url: string, headers: Record<string, string> = {}) => app.inject({ method: 'GET', url, headers });
  const order = async (headers: Record<string, string> = {}) =>
    app.inject({ method: 'POST', url: '/api/v1/things/a/orders', payload: '{"amount":"1"}', headers: { 'content-type': 'application/json', ...headers } });

  afterEach(async () => {
    await app.close();
  });

  describe('turns trouble into a problem document:', () => {
    beforeEach(async () => open());

    it.each<[ErrorKind, number]>([['invalid', 400], ['conflict', 409], ['missing', 404], ['forbidden', 403], ['throttled', 429], ['unavailable', 503]])('%s is %i, with facts and the way out', async (kind, status) => {
      fail = () => {
        throw new ChainfoldError('It is not so', { code: 'not-so', kind, facts: { id: 7 }, hint: 'Do otherwise.', retryable: true });
      };
      const response = await get('/api/v1/things/failing?x=1');
      expect([response.statusCode, response.headers['content-type']]).toEqual([status, 'application/problem+json; charset=utf-8']);
      expect(response.json()).toEqual({
        type: 'urn:chainfold:problem:not-so', title: expect.any(String), status, detail: 'It is not so', instance: '/api/v1/things/failing?x=1',
        code: 'not-so', retryable: true, hint: 'Do otherwise.', facts: { id: 7 },
      });
    });

    it.each([
      ['an error nobody meant', () => new Error(secret)],
      ['a bug that names its place', () => new ChainfoldError(secret, { code: 'bug-x', kind: 'bug', facts: { secret }, hint: secret })],
      ['something that is no error', () => secret],
      ['an answer of 500 of the framework', () => new HttpException(secret, 500)],
      ['a rejected promise', () => Promise.reject(new TypeError(secret))],
    ])('%s is 500 and tells nothing of the inside', async (_name, trouble) => {
      fail = () => {
        const value = trouble();
        if (value instanceof Promise) return value;
        throw value as Error;
      };
      const response = await get('/api/v1/things/failing');
      expect(response.statusCode).toBe(500);
      expect(response.body).not.toContain('hunter2');
      expect(response.json()).toMatchObject({ status: 500, retryable: false });
    });

    it('a refusal of the framework keeps its status', async () => {
      fail = () => {
        throw new NotFoundException('no such file');
      };
      expect((await get('/api/v1/things/failing')).json()).toMatchObject({ status: 404, detail: 'no such file' });
    });

    it('a red health check goes out with its report', async () => {
      const response = await get('/health/ready');
      expect([response.statusCode, response.json().details]).toEqual([503, { head: { status: 'down' } }]);
    });

    it('bytes that are no request, and headers without end', async () => {
      await app.listen(0, '127.0.0.1');
      const { port } = app.getHttpServer().address() as AddressInfo;
      expect(await raw(port, 'NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 Bad Request\r\nContent-Type: application\/problem\+json/);
      expect(await raw(port, `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
    });

    it('an address cut off in the middle of a byte', async () => {
      expect((await get('/api/v1/things/%e0%a4%a')).json()).toMatchObject({ status: 400, code: 'url-malformed' });
    });
  });

  describe('turns a body that it cannot read into a problem document:', () => {
    beforeEach(async () => open());

    const deep = '['.repeat(100_000);
    it.each([
      ['one that is cut off', '{', 400, 'body-malformed'],
      ['an empty one', '', 400, 'body-malformed'],
      ['nesting without end', deep, 400, 'body-malformed'],
      ['one with a key that would reach into every object', '{"amount":"1","__proto__":{"x":1}}', 400, 'body-malformed'],
      ['one of three megabytes', JSON.stringify({ amount: 'a'.repeat(3_000_000) }), 413, 'body-too-large'],
      ['a content type of its own', '<a/>', 415, 'media-type-unsupported', 'application/xml'],
    ])('%s', async (_name, payload, status, code, contentType = 'application/json') => {
      const response = await app.inject({ method: 'POST', url: '/api/v1/things/a/orders', payload, headers: { 'content-type': contentType } });
      expect([response.statusCode, response.headers['content-type']]).toEqual([status, 'application/problem+json; charset=utf-8']);
      expect(response.json()).toEqual({
        type: `urn:chainfold:problem:${code}`, title: expect.any(String), status, detail: expect.any(String), instance: '/api/v1/things/a/orders',
        code, retryable: false, hint: expect.stringMatching(/\.$/), ...(status === 400 ? { errors: [{ pointer: '/body', detail: expect.any(String) }] } : { facts: expect.any(Object) }),
      });
      expect(response.body).not.toContain('FST_');
    });
  });

  describe('gives versions', () => {
    beforeEach(async () => open());

    it('that do not move with the clock', async () => {
      const [one, two] = [await get('/api/v1/things/a'), await get('/api/v1/things/a')];
      expect(one.headers.etag).toMatch(/^"[\w-]{22}"$/);
      expect(two.headers.etag).toBe(one.headers.etag);
      expect((await get('/api/v1/things/b')).headers.etag).not.toBe(one.headers.etag);
    });

    it('and 304 with no body, over a real connection too', async () => {
      await app.listen(0, '127.0.0.1');
      const { port } = app.getHttpServer().address() as AddressInfo;
      const first = await fetch(`http://127.0.0.1:${port}/api/v1/things?limit=3`);
      expect(await first.json()).toEqual({ items: [{ id: 'a', size: 3 }], next: null, asOf: 'x1' });
      const { status, length } = await conditional(port, '/api/v1/things?limit=3', first.headers.get('etag') ?? '');
      expect([status, length]).toEqual([304, 0]);
    });
  });

  describe('without access tokens', () => {
    beforeEach(async () => open());

    it('serves this machine, and hands the headers of a command on', async () => {
      const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
      expect((await order({ 'idempotency-key': 'k', traceparent: trace })).json()).toEqual({ commandId: 'k', trace });
    });

    it.each([[undefined, false], ['http://localhost:3000', false], ['http://LOCALHOST:3000', false], ['http://localhost:3001', true], ['https://evil.example', true], ['null', true]])('refuses a change by a page of %s: %s', async (origin, isRefused) => {
      const headers = { host: 'localhost:3000', ...(origin === undefined ? {} : { origin }) };
      const answer = await order(headers);
      expect([answer.statusCode === 403, answer.json().code === 'origin-foreign']).toEqual([isRefused, isRefused]);
      expect((await get('/api/v1/things', headers)).statusCode).toBe(200);
    });

    it.each([['localhost:3000', 200], ['127.0.0.1:3000', 200], ['[::1]:3000', 200], ['192.168.1.7', 200], ['evil.example', 403], ['localhost.evil.example:80', 403]])('answers to the host %s with %i', async (host, status) => {
      expect((await get('/api/v1/things', { host })).statusCode).toBe(status);
    });
  });

  describe('with access tokens', () => {
    const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
    beforeEach(async () =>
      open([
        { name: 'reader', scopes: ['read'], sha256: hash('r-token') },
        { name: 'trader', scopes: ['read', 'trade'], sha256: hash('t-token') },
      ]),
    );
    const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

    it.each([[{}], [{ authorization: 'Bearer' }], [{ authorization: 'Basic cjpyLXRva2Vu' }], [bearer('wrong')], [bearer(hash('r-token'))]])('asks for one when it gets %j', async (headers) => {
      const response = await get('/api/v1/things', headers);
      expect([response.statusCode, response.headers['www-authenticate'], response.json().code]).toEqual([401, 'Bearer realm="chainfold"', 'unauthenticated']);
    });

    it('lets a token do what its scopes say, and no more', async () => {
      expect((await get('/api/v1/things', bearer('r-token'))).statusCode).toBe(200);
      expect((await order(bearer('t-token'))).statusCode).toBe(200);
      const refused = await order(bearer('r-token'));
      expect([refused.statusCode, refused.json()]).toEqual([403, expect.objectContaining({ code: 'scope-missing', facts: { token: 'reader', scope: 'trade' } })]);
    });

    it('keeps probes and documentation open', async () => {
      expect((await get('/health/ready')).statusCode).toBe(503);
      expect((await get('/api/openapi.json')).statusCode).toBe(200);
      expect((await get('/api/docs')).statusCode).toBe(200);
    });
  });

  describe('documents itself', () => {
    beforeEach(async () => open());

    it('as OpenAPI 3.1 made from the schemas', async () => {
      const document = (await get('/api/openapi.json')).json();
      const verdict = await new Validator().validate(structuredClone(document));
      expect(verdict.errors ?? []).toEqual([]);
      expect(document.openapi).toMatch(/^3\.1\./);
      const read = document.paths['/api/v1/things/{id}'].get;
      expect(read.parameters).toEqual([{ name: 'id', in: 'path', required: true, schema: { type: 'string', pattern: '^[a-z]+$' } }]);
      expect(read.responses['200'].content['application/json'].schema).toEqual({ $ref: '#/components/schemas/Thing' });
      expect(document.components.schemas.Thing.properties).toHaveProperty('id');
      expect(document.paths['/api/v1/things'].get.parameters).toEqual([{ name: 'limit', in: 'query', required: false, description: expect.any(String), schema: { type: 'integer', minimum: 1, maximum: 500 } }]);
      const lines = document.paths['/api/v1/things/lines'].get.responses;
      expect([Object.keys(lines['200'].content), lines['200'].headers, lines['304']]).toEqual([['application/x-ndjson'], undefined, undefined]);
      expect(document.paths['/api/v1/things/failing'].get.responses).toHaveProperty('200');
      expect(document.paths['/api/v1/things/{id}/orders'].post.parameters.map(({ name }: { name: string }) => name)).toEqual(['id', 'Idempotency-Key', 'If-Match']);
    });

    it('on a page whose scripts and styles all come from here', async () => {
      const page = await get('/api/docs');
      expect(page.headers['content-security-policy']).toContain("default-src 'self'");
      expect(page.body).not.toContain('<b>');
      const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link as string);
      expect(links.length).toBeGreaterThan(3);
      for (const link of links) expect([link, (await get(link)).statusCode]).toEqual([link, 200]);
      expect((await get('/api/docs/start.js')).headers['content-type']).toMatch(/javascript/);
    });

    it.each(['/api/docs/package.json', '/api/docs/..%2fpackage.json', '/api/docs/__proto__'])('and gives no other file: %s', async (url) => {
      expect((await get(url)).statusCode).toBe(404);
    });
  });
});

async function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('close', () => resolve(answer));
    socket.on('error', (error: NodeJS.ErrnoException) => (answer === '' ? reject(error) : resolve(answer)));
  });
}

async function conditional(port: number, path: string, etag: string): Promise<{ status: number | undefined; length: number }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers: { 'if-none-match': etag } }, resolve).on('error', reject).end();
  });
  let length = 0;
  for await (const chunk of response) length += (chunk as Buffer).length;
  return { status: response.statusCode, length };
}
