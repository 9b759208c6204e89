import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { problemOf } from '#platform/http';
import { Draining, type Lifecycle } from './lifecycle.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** While the program ends it answers questions (health above all) on connections that close, and takes no commands. */
export function refuseWorkWhileDraining(adapter: FastifyAdapter, lifecycle: Lifecycle): void {
  adapter.getInstance().addHook('onRequest', (request, reply, done) => {
    if (!lifecycle.draining.aborted) return done();
    void reply.header('connection', 'close');
    if (READS.has(request.method)) return done();
    const { problem } = problemOf(new Draining(), request.url);
    void reply.code(problem.status).header('retry-after', '5').type('application/problem+json').send(JSON.stringify(problem));
  });
}
