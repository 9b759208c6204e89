import { HttpException } from '@nestjs/common';
import { ChainfoldError, type ErrorKind, type JsonObject } from '#platform/kernel';
import { InvalidRequest, type InvalidField, MethodNotAllowed, Unauthenticated } from './request.errors.ts';

/** The one place where sorts of trouble become statuses. RFC 9457, application/problem+json. */
const STATUS: { readonly [kind in ErrorKind]: number } = {
  invalid: 400,
  conflict: 409,
  missing: 404,
  forbidden: 403,
  throttled: 429,
  unavailable: 503,
  bug: 500,
};

/** Where HTTP has a finer word than the kind. */
const STATUS_OF_CODE: { readonly [code: string]: number } = {
  unauthenticated: 401,
  'method-not-allowed': 405,
  'revision-mismatch': 412,
  'body-too-large': 413,
  'url-too-long': 414,
  'media-type-unsupported': 415,
};

const TITLES: { readonly [status: number]: string } = {
  400: 'The request is not well formed',
  401: 'An access token is needed',
  403: 'That is not allowed',
  404: 'There is no such thing',
  405: 'That method is not for this address',
  409: 'The request does not fit the present state',
  412: 'It has changed since it was read',
  413: 'The request is too large',
  414: 'The address is too long',
  415: 'That content type is not taken',
  429: 'Too many requests',
  500: 'Something went wrong here',
  503: 'Not possible right now',
};

/** Codes for what the web server itself refuses. */
const CODES: { readonly [status: number]: string } = {
  400: 'request-malformed',
  404: 'route-unknown',
  413: 'body-too-large',
  414: 'url-too-long',
  415: 'media-type-unsupported',
};

const RETRY_SECONDS = 1;
const MAX_INSTANCE = 300;

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly retryable: boolean;
  readonly hint?: string;
  readonly facts?: JsonObject;
  readonly errors?: readonly InvalidField[];
}

export interface ProblemAnswer {
  readonly problem: Problem;
  readonly headers: { readonly [name: string]: string };
  /** Nobody meant it: log it with its cause. */
  readonly unexpected: boolean;
}

export function problemOf(error: unknown, url: string): ProblemAnswer {
  if (error instanceof ChainfoldError && error.kind !== 'bug') return told(error, url);
  if (error instanceof HttpException && error.getStatus() < 500) return refused(error, url);
  const status = error instanceof HttpException ? error.getStatus() : 500;
  const detail = 'The request was not carried out because of a fault in this program; its log has the cause.';
  const code = error instanceof ChainfoldError ? error.code : 'internal-error';
  return { problem: problem(status, code, detail, url, { retryable: false }), headers: {}, unexpected: true };
}

function told(error: ChainfoldError, url: string): ProblemAnswer {
  const status = STATUS_OF_CODE[error.code] ?? STATUS[error.kind];
  const { hint, facts, retryable } = error;
  const more = {
    retryable,
    ...(hint === undefined ? {} : { hint }),
    ...(Object.keys(facts).length === 0 ? {} : { facts }),
    ...(error instanceof InvalidRequest ? { errors: error.fields } : {}),
  };
  return { problem: problem(status, error.code, error.message, url, more), headers: headersOf(error, status), unexpected: false };
}

function headersOf(error: ChainfoldError, status: number): { [name: string]: string } {
  if (error instanceof Unauthenticated) return { 'www-authenticate': 'Bearer realm="chainfold"' };
  if (error instanceof MethodNotAllowed) return { allow: error.allowed.join(', ') };
  return status === 429 || status === 503 ? { 'retry-after': String(RETRY_SECONDS) } : {};
}

/** What Nest and Fastify refuse by themselves; their messages speak of the request only. */
function refused(error: HttpException, url: string): ProblemAnswer {
  const status = error.getStatus();
  const code = CODES[status] ?? 'request-refused';
  return { problem: problem(status, code, error.message, url, { retryable: false }), headers: {}, unexpected: false };
}

function problem(status: number, code: string, detail: string, url: string, more: Pick<Problem, 'retryable' | 'hint' | 'facts' | 'errors'>): Problem {
  const title = TITLES[status] ?? TITLES[500] ?? '';
  return { type: `urn:chainfold:problem:${code}`, title, status, detail, instance: url.slice(0, MAX_INSTANCE), code, ...more };
}
