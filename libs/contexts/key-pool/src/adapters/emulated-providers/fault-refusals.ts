import type { Misbehaviour } from './emulated-faults.ts';
import type { ProviderManner } from './provider-manner.ts';
import type { RefusalBody, RpcError } from './refusal-bodies.ts';
import { INFURA_OLDER_QUOTA, infuraOlderRate, retryAfter } from './refusal-bodies.ts';
import type { EnvelopeCall } from './rpc-envelope.ts';

/** What a fault says in place of any answer; undefined: it does not refuse the request as a whole. */
export function faultRefusal(fault: Misbehaviour, manner: ProviderManner): RefusalBody | undefined {
  switch (fault.kind) {
    case 'throttle':
      return throttled(fault, manner);
    case 'exhausted':
      return manner.refusals.quota();
    case 'unauthorized':
      return manner.refusals.unknownKey();
    case 'limit-exceeded':
      if (fault.meaning === 'results') return undefined;
      return fault.meaning === 'daily' ? INFURA_OLDER_QUOTA : infuraOlderRate(manner, 'older');
    case 'status':
      return {
        status: fault.status,
        headers: fault.retryAfterSeconds === undefined ? {} : { 'retry-after': String(fault.retryAfterSeconds) },
        body: fault.status === 503 ? 'Service Unavailable' : { code: -32603, message: 'Internal error' },
      };
    default:
      return undefined;
  }
}

/** Without a word of how long, unless the fault tells it. */
export function bareThrottle({ refusals, allowedPerSecond }: ProviderManner): RefusalBody {
  const { status, body } = refusals.rate({ waitMs: Infinity, allowedPerSecond });
  return { status, body };
}

function throttled({ tells, seconds = 1 }: Extract<Misbehaviour, { kind: 'throttle' }>, manner: ProviderManner): RefusalBody | undefined {
  switch (tells) {
    case 'retry-after':
      return { ...bareThrottle(manner), headers: retryAfter(seconds * 1_000) };
    case 'backoff-seconds':
      return infuraOlderRate(manner, 'older', seconds);
    case 'nested-backoff-seconds':
      return infuraOlderRate(manner, 'older-nested', seconds);
    case 'nothing':
      return bareThrottle(manner);
    case 'each':
      return undefined;
  }
}

/** The hint is the first half of the range that was asked for. */
export function tooManyResults({ params }: EnvelopeCall): RpcError {
  const filter = (params[0] ?? {}) as { fromBlock?: unknown; toBlock?: unknown };
  const [from, to] = [Number(filter.fromBlock), Number(filter.toBlock)];
  const message = 'query returned more than 10000 results';
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || to <= from) return { code: -32005, message };
  const hint = { from: hex(from), to: hex(Math.floor((from + to) / 2)) };
  return { code: -32005, message: `${message}. Try with this block range [${hint.from}, ${hint.to}].`, data: { ...hint, limit: 10_000 } };
}

function hex(number: number): string {
  return `0x${number.toString(16).toUpperCase()}`;
}
