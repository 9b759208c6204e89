import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { answerDocOf } from './answers.ts';
import { isSame, versioned } from './entity-tag.ts';

/** Every documented read gives its ETag, and 304 to who has that version already. */
@Injectable()
export class ConditionalRead implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const doc = answerDocOf(context.getHandler());
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (doc === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) return next.handle();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(map((body) => (typeof body === 'object' && body !== null ? answer(body, doc.volatile, request, reply) : body)));
  }
}

function answer(body: object, volatile: readonly string[] | undefined, request: FastifyRequest, reply: FastifyReply): string | undefined {
  const { text, etag } = versioned(body, volatile);
  void reply.headers({ etag, 'cache-control': 'no-cache' });
  if (isSame(request.headers['if-none-match'], etag)) {
    void reply.status(304);
    return undefined;
  }
  void reply.type('application/json; charset=utf-8');
  return text;
}
