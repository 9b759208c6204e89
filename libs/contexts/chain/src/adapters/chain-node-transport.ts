import { NodeAnswerInvalid } from '../ports/chain-node.errors.ts';
import type { Refusal } from './chain-node-refusals.ts';
import { LateItem } from './chain-node-parsing.ts';
import { isObject, readRefusal } from './chain-node-refusals.ts';

export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** `raw`: the JSON of `result`, where it was left as it came. */
export type RpcAnswer = { readonly ok: true; readonly result: unknown; readonly bytes?: number; readonly raw?: Uint8Array | undefined } | { readonly ok: false; readonly refusal: Refusal };

export type RpcReply =
  /** In the order asked; undefined where the node left an item out. */
  | ({ readonly kind: 'answers'; readonly answers: readonly (RpcAnswer | undefined)[] } & ReplyFacts)
  /** The request as a whole was refused. */
  | ({ readonly kind: 'refused'; readonly refusal: Refusal } & ReplyFacts);

export interface ReplyFacts {
  readonly bytes: number;
  /** Over the wire; one where it is left out. */
  readonly requests?: number;
  /** Of the provider's clock, in milliseconds since the epoch, where it tells. */
  readonly providerTime?: number | undefined;
}

/** At the moment of writing the request was not wanted any more: nothing was written. */
export class HeldBack extends Error {}

/** Carries one request over the wire. Throws `node-unreachable`, `node-answer-invalid`. */
export interface RpcTransport {
  readonly url: string;
  readonly label: string;
  readonly pushes: boolean;
  /** `writing` is called right before the request is written, after every wait for a connection. It may throw `HeldBack`, and so does this then. */
  send(calls: readonly RpcCall[], signal?: AbortSignal, writing?: () => void): Promise<RpcReply>;
  /** Headers as the node announces them; ends with an error when the connection is lost. */
  heads(signal: AbortSignal): AsyncIterable<unknown>;
  close(): Promise<void>;
}

export interface TransportLimits {
  readonly connectTimeoutMs: number;
  /** From sending a request to the last byte of its answer. */
  readonly requestTimeoutMs: number;
  readonly maxAnswerBytes: number;
  /** Of a request for more than a block and its receipts. */
  readonly maxBatchBytes: number;
}

/** A block with 21 MB of receipts must pass; a whole batch of such must not fill the memory. */
export const DEFAULT_LIMITS: TransportLimits = { connectTimeoutMs: 5_000, requestTimeoutMs: 30_000, maxAnswerBytes: 128_000_000, maxBatchBytes: 25_000_000 };

/** A single call goes without the array: providers that meter count a batch as one call more. */
export function encodeCalls(calls: readonly RpcCall[], firstId: number): string {
  const items = calls.map((call, index) => ({ jsonrpc: '2.0', id: firstId + index, method: call.method, params: call.params }));
  return JSON.stringify(items.length === 1 ? items[0] : items);
}

/** Matches by id, whatever the order, and keeps what came. */
export function readReply(body: unknown, calls: readonly RpcCall[], firstId: number, label: string, bytes: number): RpcReply {
  const items: readonly unknown[] = Array.isArray(body) ? body : [body];
  const answers: (RpcAnswer | undefined)[] = calls.map(() => undefined);
  let matched = 0;
  let unmatched: unknown;
  for (const item of items) {
    if (!isObject(item)) throw new NodeAnswerInvalid(label, 'an item of the answer is not an object');
    const index = indexOf(item['id'], firstId);
    if (item instanceof LateItem && index !== undefined && index < calls.length) {
      answers[index] = new LateAnswer(item, label);
      matched += 1;
      continue;
    }
    if (index === undefined || index >= calls.length || (item['result'] === undefined && item['error'] === undefined)) {
      unmatched = item;
      continue;
    }
    const { error } = item;
    answers[index] = error === undefined || error === null ? { ok: true, result: item['result'] } : { ok: false, refusal: readRefusal(item) };
    matched += 1;
  }
  if (matched > 0) return { kind: 'answers', answers, bytes };
  if (isObject(unmatched) && unmatched['error'] !== undefined) return { kind: 'refused', refusal: readRefusal(unmatched), bytes };
  throw new NodeAnswerInvalid(label, items.length === 0 ? 'an empty array' : 'no item answers what was asked');
}

/** Throws `node-answer-invalid` when it is looked at and is no JSON. */
class LateAnswer {
  readonly ok = true;
  readonly #item: LateItem;
  readonly #label: string;

  constructor(item: LateItem, label: string) {
    this.#item = item;
    this.#label = label;
  }

  get bytes(): number {
    return this.#item.bytes;
  }

  get raw(): Uint8Array {
    return this.#item.raw;
  }

  get result(): unknown {
    const { result } = this.#item;
    if (result === undefined) throw new NodeAnswerInvalid(this.#label, 'not JSON, or cut off', { bytes: this.bytes });
    return result;
  }
}

function indexOf(id: unknown, firstId: number): number | undefined {
  const number = typeof id === 'number' ? id : typeof id === 'string' && /^\d+$/.test(id) ? Number(id) : undefined;
  return number === undefined || number < firstId ? undefined : number - firstId;
}
