import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { TellOptions } from '#platform/actors';
import { parseRequest } from './request-schema.ts';

/** `"57"`, or the ETag of a resource whose revision is 57: `"57.a1b2…"`. `*` asks for nothing. */
const IF_MATCH = /^"(\d{1,15})(?:\.[0-9A-Za-z_-]+)?"$/;
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export const commandHeaders = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, 'Takes 1 to 200 visible ASCII characters')
    .optional()
    .describe('A repeat of the command with the same key changes nothing and gets the same answer.'),
  'If-Match': z
    .string()
    .regex(/^\*$|^"(\d{1,15})(\.[0-9A-Za-z_-]+)?"$/, 'Takes the ETag of the resource, or its revision in quotes, like "57"')
    .optional()
    .describe('Carried out only at this revision; 412 when the resource has moved.'),
});

/** What the headers of a command ask of its actor. */
export function tellOptionsOf(headers: FastifyRequest['headers']): TellOptions {
  const given = parseRequest('header', commandHeaders, { 'Idempotency-Key': headers['idempotency-key'], 'If-Match': headers['if-match'] });
  const revision = IF_MATCH.exec(given['If-Match'] ?? '')?.[1];
  const trace = headers['traceparent'];
  return {
    ...(given['Idempotency-Key'] === undefined ? {} : { commandId: given['Idempotency-Key'] }),
    ...(revision === undefined ? {} : { expectedRevision: Number(revision) }),
    ...(typeof trace === 'string' && TRACEPARENT.test(trace) ? { trace } : {}),
  };
}

const COMMAND = Symbol('command headers');

/** `TellOptions` of this request. */
export const FromCommandHeaders = (): ParameterDecorator => (target, key, index) => {
  if (key === undefined) throw new Error('only parameters of methods are read from a request');
  Reflect.defineMetadata(COMMAND, true, target, String(key));
  readHeaders()(target, key, index);
};

export function takesCommandHeaders(prototype: object, method: string): boolean {
  return Reflect.getOwnMetadata(COMMAND, prototype, method) === true;
}

const readHeaders = createParamDecorator((_: unknown, context: ExecutionContext) => tellOptionsOf(context.switchToHttp().getRequest<FastifyRequest>().headers));
