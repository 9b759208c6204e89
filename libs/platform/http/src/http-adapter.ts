import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Logger } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ChainfoldError } from '#platform/kernel';
import { sendProblem } from './problem-filter.ts';
import { problemOf } from './problem.ts';
import { BodyMalformed, BodyTooLarge, MediaTypeUnsupported } from './request.errors.ts';

/** Of a request body: commands are small. */
export const MAX_BODY_BYTES = 1_048_576;
const MAX_PARAM_LENGTH = 200;
const log = new Logger('Http');

/**
 * What Fastify itself refuses, a body above all. Nest's handler comes too late: a plugin that is awaited before it boots
 * the server, and the routes keep the handler that stands there then. So ours stands there first, and stays.
 */
class ProblemAdapter extends FastifyAdapter {
  override setErrorHandler(): never {
    return undefined as never;
  }
}

/** The web server, with refusals as problems also where no route has been found yet. */
export function createHttpAdapter(): FastifyAdapter {
  const adapter = new ProblemAdapter({
    bodyLimit: MAX_BODY_BYTES,
    trustProxy: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, ignoreTrailingSlash: true },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => sendProblem(reply, problemOf(new AddressRefused(error), request.raw.url ?? '/')),
    clientErrorHandler: (error: Error, socket: Socket) => {
      if (!socket.writable || (error as NodeJS.ErrnoException).code === 'ECONNRESET') return;
      socket.end(rawProblem((error as NodeJS.ErrnoException).code));
    },
  });
  adapter.getInstance().setErrorHandler((error: FastifyError, request, reply) => {
    const answer = problemOf(refusalOf(error, request.headers['content-type']), request.url);
    if (answer.unexpected) log.error({ msg: 'request failed', method: request.method, url: answer.problem.instance, err: error });
    sendProblem(reply, answer);
  });
  return adapter;
}

/** The parser of bodies speaks of its own inside; the request is what the client can change. */
function refusalOf(error: FastifyError, contentType: string | undefined): unknown {
  if (error instanceof ChainfoldError) return error;
  switch (error.statusCode) {
    case 400:
      return new BodyMalformed(error.code === 'FST_ERR_CTP_EMPTY_JSON_BODY');
    case 413:
      return new BodyTooLarge(MAX_BODY_BYTES);
    case 415:
      return new MediaTypeUnsupported(contentType);
    default:
      return error;
  }
}

class AddressRefused extends ChainfoldError {
  constructor(error: { readonly code?: string }) {
    const long = error.code === 'FST_ERR_MAX_PARAM_LENGTH';
    super(long ? `A part of the address is longer than ${MAX_PARAM_LENGTH} characters` : 'The address is not well formed', {
      code: long ? 'url-too-long' : 'url-malformed',
      kind: 'invalid',
      hint: long ? 'Hashes have 66 characters, addresses 42.' : 'A percent sign stands before two hex digits.',
    });
  }
}

/** For bytes that are no HTTP request: there is no reply object yet. */
function rawProblem(code: string | undefined): string {
  const [status, reason, slug] = code === 'HPE_HEADER_OVERFLOW' ? [431, 'Request Header Fields Too Large', 'headers-too-large'] : [400, 'Bad Request', 'request-malformed'];
  const body = JSON.stringify({
    type: `urn:chainfold:problem:${slug}`,
    title: reason,
    status,
    detail: 'The request could not be read; it was not carried out.',
    instance: '/',
    code: slug,
    retryable: false,
  });
  const head = [`HTTP/1.1 ${status} ${reason}`, 'Content-Type: application/problem+json; charset=utf-8', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
