import type { Chance } from './seeded-chance.ts';

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly [more: string]: unknown;
}

/** What a provider says instead of an answer: an error object of JSON-RPC, or a text. */
export interface RefusalBody {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: RpcError | string;
}

export interface RateFacts {
  readonly waitMs: number;
  /** Of requests a second, for words that tell them. */
  readonly allowedPerSecond: number;
}

/** What one provider says in each situation; sources are named in the fixtures of provider errors and the notes of 2026. */
export interface Refusals {
  rate(facts: RateFacts): RefusalBody;
  quota(): RefusalBody;
  unknownKey(): RefusalBody;
  unsupported(method: string): RefusalBody;
  tooLarge(): RefusalBody;
}

/** `older`: 429 with -32005 at Infura, 403 for the month at Alchemy; `older-nested`: the wait stands one level deeper. */
export type Wording = 'today' | 'older' | 'older-nested';

export function infuraRefusals(wording: Wording): Refusals {
  return {
    rate: (facts) => (wording === 'today' ? INFURA_RATE : infuraOlderRate(facts, wording)),
    quota: () => (wording === 'today' ? INFURA_QUOTA : INFURA_OLDER_QUOTA),
    unknownKey: () => INFURA_UNKNOWN,
    unsupported: (method) => ({ status: 200, body: { code: -32601, message: `The method ${method} does not exist/is not available` } }),
    tooLarge: () => ({ status: 413, body: 'Request Entity Too Large' }),
  };
}

/** Now and then it tells how long to wait, in whole seconds. */
export function alchemyRefusals(wording: Wording, chance: Chance): Refusals {
  return {
    rate: ({ waitMs }) => ({ ...ALCHEMY_RATE, ...(chance() < 0.5 ? { headers: retryAfter(waitMs) } : {}) }),
    quota: () => (wording === 'today' ? ALCHEMY_MONTH : ALCHEMY_OLDER_MONTH),
    unknownKey: () => ({ status: 401, body: { code: -32600, message: 'Must be authenticated!' } }),
    unsupported: (method) => ({ status: 200, body: { code: -32601, message: `The method ${method} does not exist/is not available` } }),
    tooLarge: () => ({ status: 413, body: { code: -32600, message: 'Request body is too large' } }),
  };
}

export function retryAfter(waitMs: number): Readonly<Record<string, string>> {
  return Number.isFinite(waitMs) ? { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1_000))) } : {};
}

const INFURA_RATE: RefusalBody = {
  status: 429,
  body: {
    code: 429,
    event: -33200,
    message: 'Too Many Requests',
    details: 'You have surpassed your allowed throughput limit. Reduce the amount of requests per second or upgrade for more capacity.',
  },
};
const INFURA_QUOTA: RefusalBody = {
  status: 402,
  body: {
    code: 402,
    event: -33000,
    message: 'Payment Required',
    details: 'You have reached your daily credit limit. To continue making requests, upgrade your plan or purchase additional credits',
  },
};
export const INFURA_OLDER_QUOTA: RefusalBody = { status: 429, body: { code: -32005, message: 'daily request count exceeded, request rate limited' } };
const INFURA_UNKNOWN: RefusalBody = {
  status: 401,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'www-authenticate': 'Basic realm="Auth failure, invalid project id"' },
  body: 'invalid project id\n',
};

export function infuraOlderRate({ allowedPerSecond }: Pick<RateFacts, 'allowedPerSecond'>, wording: Wording, seconds = wording === 'older' ? 30 : 0): RefusalBody {
  const rate = { current_rps: Math.round(allowedPerSecond * 1_333) / 1_000, allowed_rps: allowedPerSecond, backoff_seconds: seconds };
  const data =
    wording === 'older-nested' ? { rate, see: 'https://infura.io/docs/ethereum/json-rpc/ratelimits' } : { see: 'https://infura.io/docs/ethereum/jsonrpc/ratelimits', ...rate };
  return { status: 429, body: { code: -32005, message: 'project ID request rate exceeded', data } };
}

const ALCHEMY_RATE: RefusalBody = {
  status: 429,
  body: {
    code: 429,
    message:
      'Your app has exceeded its compute units per second capacity. If you have retries enabled, you can safely ignore this message. If not, check out https://docs.alchemy.com/reference/throughput',
  },
};
const MONTH_GONE = 'Monthly capacity limit exceeded. Visit https://dashboard.alchemyapi.io/settings/billing to upgrade your scaling policy for continued service.';
const ALCHEMY_MONTH: RefusalBody = { status: 429, body: { code: 429, message: MONTH_GONE } };
const ALCHEMY_OLDER_MONTH: RefusalBody = { status: 403, body: { code: -32600, message: MONTH_GONE } };
