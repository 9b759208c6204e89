import { ChainfoldError } from '#platform/kernel';

/** `pointer` starts with the part of the request: /path/chainId, /query/limit, /body/from, /header/If-Match. */
export type InvalidField = { readonly pointer: string; readonly detail: string };

const REQUEST_INVALID = { code: 'request-invalid', hint: 'Correct what `errors` points to; /api/docs shows what each field takes.' };

export class InvalidRequest extends ChainfoldError {
  readonly fields: readonly InvalidField[];

  constructor(fields: readonly InvalidField[], told: { readonly code: string; readonly hint: string } = REQUEST_INVALID) {
    super(fields.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; '), { ...told, kind: 'invalid' });
    this.fields = fields;
  }
}

/** No JSON at all; what is JSON and not what a field takes is `request-invalid`. */
export class BodyMalformed extends InvalidRequest {
  constructor(empty: boolean) {
    super([{ pointer: '/body', detail: empty ? 'The body is empty' : 'The body is not well-formed JSON' }], {
      code: 'body-malformed',
      hint: 'Send one JSON object; /api/docs shows its fields.',
    });
  }
}

export class BodyTooLarge extends ChainfoldError {
  constructor(limit: number) {
    super(`The body is larger than ${limit} bytes`, { code: 'body-too-large', kind: 'invalid', facts: { limit }, hint: 'Commands are small: /api/docs shows what they take.' });
  }
}

export class RouteUnknown extends ChainfoldError {
  constructor(method: string, path: string) {
    super(`Nothing is at ${method} ${path}`, { code: 'route-unknown', kind: 'missing', hint: 'GET /api/docs lists what there is.' });
  }
}

export class MethodNotAllowed extends ChainfoldError {
  readonly allowed: readonly string[];

  constructor(method: string, path: string, allowed: readonly string[]) {
    super(`${method} is not for ${path}`, {
      code: 'method-not-allowed',
      kind: 'invalid',
      facts: { allowed: [...allowed] },
      hint: `This address takes ${allowed.join(', ')}.`,
    });
    this.allowed = allowed;
  }
}

export class MediaTypeUnsupported extends ChainfoldError {
  constructor(given: string | undefined) {
    super('The body is not declared as JSON', {
      code: 'media-type-unsupported',
      kind: 'invalid',
      facts: { contentType: given?.slice(0, 100) ?? null },
      hint: 'Send the header Content-Type: application/json.',
    });
  }
}

export class Unauthenticated extends ChainfoldError {
  constructor() {
    super('The request carries no access token that is known here', {
      code: 'unauthenticated',
      kind: 'forbidden',
      hint: 'Send the header Authorization: Bearer <token>; tokens are configured in http.accessTokens.',
    });
  }
}

export class ScopeMissing extends ChainfoldError {
  constructor(token: string, scope: string) {
    super(`The access token "${token}" does not allow that`, {
      code: 'scope-missing',
      kind: 'forbidden',
      facts: { token, scope },
      hint: `Use a token with the scope ${scope}.`,
    });
  }
}

/** A web page elsewhere made its own name point to this machine. */
export class HostNotAllowed extends ChainfoldError {
  constructor(host: string) {
    super('Without access tokens this server answers to the names of this machine only', {
      code: 'host-not-allowed',
      kind: 'forbidden',
      facts: { host: host.slice(0, 100) },
      hint: 'Ask at http://localhost or by IP address, or configure http.accessTokens.',
    });
  }
}

/** A web page of another site had the browser of somebody on this machine send it. */
export class OriginForeign extends ChainfoldError {
  constructor(origin: string) {
    super('Without access tokens only pages of this server may change anything', {
      code: 'origin-foreign',
      kind: 'forbidden',
      facts: { origin: origin.slice(0, 100) },
      hint: 'Send it without an Origin header, as programs do, or configure http.accessTokens.',
    });
  }
}
