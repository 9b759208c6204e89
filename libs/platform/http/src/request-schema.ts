import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { InvalidRequest, MediaTypeUnsupported, type InvalidField } from './request.errors.ts';

export type RequestPart = 'path' | 'query' | 'body';
export type RequestSchemas = { readonly [part in RequestPart]?: z.ZodType };

const SCHEMAS = Symbol('request schemas');

/** Parameters of the path, read with a schema. The same schema stands in the OpenAPI document. */
export const FromPath = (schema: z.ZodType): ParameterDecorator => from('path', schema);
/** The query string. Take a strict object, so that a misspelt parameter is told and not ignored. */
export const FromQuery = (schema: z.ZodType): ParameterDecorator => from('query', schema);
/** A JSON body; refused unless it is declared as such, so no form of a foreign web page can command. */
export const FromBody = (schema: z.ZodType): ParameterDecorator => from('body', schema);

export function requestSchemas(prototype: object, method: string): RequestSchemas {
  return (Reflect.getOwnMetadata(SCHEMAS, prototype, method) as RequestSchemas | undefined) ?? {};
}

/** Throws `request-invalid` with a pointer to each wrong field. */
export function parseRequest<T>(part: RequestPart | 'header', schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value, { error: inOurWords });
  if (result.success) return result.data;
  throw new InvalidRequest(result.error.issues.flatMap((issue) => fieldsOf(part, issue)));
}

// Wrapped in an object: Nest takes anything with a method `transform`, as a schema has, for a pipe.
const read = createParamDecorator(({ part, schema }: { part: RequestPart; schema: z.ZodType }, context: ExecutionContext) => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  switch (part) {
    case 'path':
      return parseRequest(part, schema, request.params);
    case 'query':
      return parseRequest(part, schema, { ...(request.query as object) });
    case 'body':
      if (!isJson(request.headers['content-type'])) throw new MediaTypeUnsupported(request.headers['content-type']);
      return parseRequest(part, schema, request.body);
  }
});

function from(part: RequestPart, schema: z.ZodType): ParameterDecorator {
  return (target, key, index) => {
    if (key === undefined) throw new Error('only parameters of methods are read from a request');
    Reflect.defineMetadata(SCHEMAS, { ...requestSchemas(target, String(key)), [part]: schema }, target, String(key));
    read({ part, schema })(target, key, index);
  };
}

function isJson(contentType: string | undefined): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'application/json';
}

function fieldsOf(part: string, issue: z.core.$ZodIssue): InvalidField[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: pointer(part, [...issue.path, key.slice(0, 100)]), detail: 'There is no such field' }));
  }
  return [{ pointer: pointer(part, issue.path), detail: issue.message }];
}

/** For rules that say nothing of their own. */
function inOurWords(issue: z.core.$ZodRawIssue): string {
  const missing = issue.input === undefined ? 'Is needed. ' : '';
  switch (issue.code) {
    case 'invalid_type':
      return `${missing}Takes ${TYPE_NAMES[issue.expected] ?? 'another type of value'}`;
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array' ? `Is too short: takes at least ${issue.minimum}` : `Takes a number from ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array' ? `Is too long: takes at most ${issue.maximum}` : `Takes a number up to ${issue.maximum}`;
    case 'invalid_value':
      return `${missing}Takes one of ${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return 'There is no such field';
    default:
      return `${missing}Does not have the form that is taken here`;
  }
}

const TYPE_NAMES: { readonly [type: string]: string } = { object: 'a JSON object', string: 'text', int: 'a whole number', number: 'a number', boolean: 'true or false', array: 'a list' };

/** RFC 6901 */
function pointer(part: string, path: readonly PropertyKey[]): string {
  return ['', part, ...path.map((step) => String(step).replaceAll('~', '~0').replaceAll('/', '~1'))].join('/');
}
