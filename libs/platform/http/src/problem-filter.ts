import { Catch, HttpException, Logger, NotFoundException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemOf, type ProblemAnswer } from './problem.ts';
import { MethodNotAllowed, RouteUnknown } from './request.errors.ts';
import { RouteTable } from './route-table.ts';

export const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

/** Everything that goes wrong leaves as problem+json; what nobody meant is logged and tells nothing of its inside. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #log = new Logger('Http');
  readonly #routes: RouteTable;

  constructor(routes: RouteTable) {
    this.#routes = routes;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const request = http.getRequest<FastifyRequest>();
    const health = healthReport(error);
    if (health !== undefined) {
      void reply.status(health.status).send(health.body);
      return;
    }
    const answer = problemOf(this.#named(error, request), request.url);
    if (answer.unexpected) this.#log.error({ msg: 'request failed', method: request.method, url: answer.problem.instance, err: error });
    if (reply.sent || reply.raw.headersSent) reply.raw.destroy();
    else sendProblem(reply, answer);
  }

  /** Nest says "Cannot GET /x" of an address without a handler; another method may have one. */
  #named(error: unknown, request: FastifyRequest): unknown {
    if (!(error instanceof NotFoundException) || !error.message.startsWith('Cannot ')) return error;
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = this.#routes.methodsAt(path);
    return allowed.length === 0 ? new RouteUnknown(request.method, path.slice(0, 200)) : new MethodNotAllowed(request.method, path.slice(0, 200), allowed);
  }
}

export function sendProblem(reply: FastifyReply, { problem, headers }: ProblemAnswer): void {
  void reply
    .status(problem.status)
    .headers({ ...headers, 'cache-control': 'no-store' })
    .type(PROBLEM_JSON)
    .send(JSON.stringify(problem));
}

/** A red health check is an answer, not an error: its report goes out as it is. */
function healthReport(error: unknown): { readonly status: number; readonly body: object } | undefined {
  if (!(error instanceof HttpException)) return undefined;
  const body = error.getResponse();
  return typeof body === 'object' && 'details' in body && 'info' in body ? { status: error.getStatus(), body } : undefined;
}
