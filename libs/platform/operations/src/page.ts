import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** Addresses that the page itself reads from the location bar. */
const CLIENT_ROUTES = ['/blocks', '/reorgs', '/backfills', '/keys', '/blocks/*', '/keys/*', '/tx/*', '/address/*', '/chains/*'];
/** As the bundler names what it made: its content is in its name, so it never changes. */
const CONTENT_NAMED = /[-.][A-Z0-9]{8}\.(?:js|css|svg|woff2)$/i;

/** Nothing from another host, nothing inline, no frames: what a block explorer shows comes from strangers. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the built page at `/`. Before the server listens. */
export async function servePage(server: FastifyInstance, dir: string): Promise<void> {
  if (!existsSync(join(dir, 'index.html'))) {
    server.get('/', (_request, reply) => reply.code(503).type('text/plain; charset=utf-8').send('The page is not built: npm run build\nThe API is at /api/docs\n'));
    return;
  }
  await server.register(fastifyStatic, {
    root: dir,
    wildcard: false,
    index: ['index.html'],
    cacheControl: false,
    setHeaders: (reply, path) => secure(reply, CONTENT_NAMED.test(path)),
  });
  for (const url of CLIENT_ROUTES) server.get(url, (_request, reply) => reply.sendFile('index.html'));
}

function secure(reply: Pick<FastifyReply, 'header'>, immutable: boolean): void {
  void reply.header('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
  void reply.header('content-security-policy', CONTENT_SECURITY_POLICY);
  void reply.header('x-content-type-options', 'nosniff');
  void reply.header('referrer-policy', 'no-referrer');
  void reply.header('cross-origin-opener-policy', 'same-origin');
}
