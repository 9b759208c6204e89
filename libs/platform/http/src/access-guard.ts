import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { Inject, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { HostNotAllowed, OriginForeign, ScopeMissing, Unauthenticated } from './request.errors.ts';

export type AccessScope = 'read' | 'trade' | 'operate';

export interface AccessToken {
  /** Who holds it; shown in refusals and logs. */
  readonly name: string;
  readonly scopes: readonly AccessScope[];
  /** Of the token, lower-case hex. */
  readonly sha256: string;
}

/** Token of the list; empty means that everybody on this machine may do everything. */
export const ACCESS_TOKENS = Symbol('access tokens');

const SCOPE = Symbol('scope');
const LOCAL_NAMES = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

/** What a handler needs; without it a read needs `read` and everything else `operate`. */
export const Needs = (scope: AccessScope | 'nothing'): MethodDecorator & ClassDecorator => SetMetadata(SCOPE, scope);

/** Probes come without a token. */
const OPEN = /^\/health(\/|$)/;

@Injectable()
export class AccessGuard implements CanActivate {
  readonly #tokens: readonly (AccessToken & { readonly digest: Buffer })[];

  constructor(@Inject(ACCESS_TOKENS) tokens: readonly AccessToken[]) {
    this.#tokens = tokens.map((token) => ({ ...token, digest: Buffer.from(token.sha256, 'hex') }));
  }

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (this.#tokens.length === 0) return fromThisMachine(request) && ofOurPages(request);
    const scope = scopeOf(context, request);
    if (scope === 'nothing') return true;
    const token = this.#holder(request.headers.authorization);
    if (token === undefined) throw new Unauthenticated();
    if (!token.scopes.includes(scope)) throw new ScopeMissing(token.name, scope);
    return true;
  }

  /** Looks at every token to the end, so that the time says nothing. */
  #holder(authorization: string | undefined): AccessToken | undefined {
    const given = /^Bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) return undefined;
    const digest = createHash('sha256').update(given).digest();
    let holder: AccessToken | undefined;
    for (const token of this.#tokens) if (token.digest.length === digest.length && timingSafeEqual(token.digest, digest)) holder = token;
    return holder;
  }
}

function scopeOf(context: ExecutionContext, request: FastifyRequest): AccessScope | 'nothing' {
  if (OPEN.test(request.url.split('?', 1)[0] ?? '')) return 'nothing';
  const declared = (Reflect.getMetadata(SCOPE, context.getHandler()) ?? Reflect.getMetadata(SCOPE, context.getClass())) as AccessScope | 'nothing' | undefined;
  return declared ?? (request.method === 'GET' || request.method === 'HEAD' ? 'read' : 'operate');
}

/** Against web pages that resolve their own name to 127.0.0.1 to read what is open there. */
function fromThisMachine(request: FastifyRequest): boolean {
  const host = (request.headers.host ?? 'localhost').replace(/:\d+$/, '').toLowerCase();
  if (LOCAL_NAMES.has(host) || isIP(host.replace(/^\[|\]$/g, '')) !== 0) return true;
  throw new HostNotAllowed(host);
}

/** A browser sends what changes something for any page, and says of which: the answer it keeps from that page, the change it does not. */
function ofOurPages({ method, headers: { origin, host } }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD' || origin === undefined) return true;
  if (URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()) return true;
  throw new OriginForeign(origin);
}
