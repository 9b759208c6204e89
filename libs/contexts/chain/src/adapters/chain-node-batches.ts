import { ChainfoldError, type Clock } from '#platform/kernel';
import type { ChainNodeMetrics, RequestResult } from '../ports/chain-node-metrics.port.ts';
import { NodeAnswerInvalid, NodeRefused } from '../ports/chain-node.errors.ts';
import type { Refusal } from './chain-node-refusals.ts';
import { meaningOf, refusalError } from './chain-node-refusals.ts';
import type { RpcAnswer, RpcCall, RpcTransport } from './chain-node-transport.ts';

/** Erigon and Nethermind refuse more by default; geth takes 1,000. */
const FIRST_LIMIT = 100;
const MOST_ITEMS = 1_000;
/** Larger answers bring no speed, only resident memory; geth cuts at 25 MB. */
const FIRST_ANSWER_BYTES = 10_000_000;
const LEAST_ANSWER_BYTES = 10_000;
const GROW_AFTER = 8;
const THROTTLE_TRIES = 3;

/** What one provider takes in one request, learnt from its answers: in items and in bytes. */
export class BatchSizer {
  #items = FIRST_LIMIT;
  #bytes = FIRST_ANSWER_BYTES;
  /** Never tried again above this: the provider refused it. */
  #ceiling = MOST_ITEMS;
  #good = 0;
  readonly #bytesPerItem = new Map<string, number>();

  /**
   * Whole groups (a block and its receipts), at least one; apart only where the provider takes fewer calls than a group
   * has, for the same request again would be refused for ever.
   */
  next(kind: string, remaining: number, group: number): number {
    if (this.#items < group) return Math.min(remaining, this.#items);
    const byBytes = Math.floor(this.#bytes / Math.max(1, this.#bytesPerItem.get(kind) ?? 1));
    const items = Math.min(remaining, this.#items, byBytes);
    return Math.max(Math.min(group, remaining), Math.floor(items / group) * group);
  }

  took(kind: string, items: number, bytes: number): void {
    const before = this.#bytesPerItem.get(kind);
    const now = bytes / items;
    // Rises at once, falls slowly: a dense stretch must not meet a size learnt on a sparse one.
    this.#bytesPerItem.set(kind, before === undefined || now > before ? now : before * 0.8 + now * 0.2);
    this.#good = items >= this.#items ? this.#good + 1 : this.#good;
    if (this.#good < GROW_AFTER) return;
    this.#good = 0;
    this.#items = Math.min(this.#ceiling, this.#items * 2);
  }

  refusedItems(items: number): void {
    this.#ceiling = Math.max(1, Math.min(this.#ceiling, items - 1));
    this.#items = Math.max(1, Math.min(this.#items, Math.floor(items / 2)));
  }

  /** The answer was larger than what is read: nothing of it is known but that. */
  tooLarge(kind: string, items: number, bytes: number): void {
    this.#bytesPerItem.set(kind, Math.max(this.#bytesPerItem.get(kind) ?? 0, (2 * bytes) / items));
  }

  /** The answer was cut after so many bytes. */
  cutAt(bytes: number): void {
    this.#bytes = Math.max(LEAST_ANSWER_BYTES, Math.min(this.#bytes, bytes * 0.8));
  }

  get limits(): { readonly items: number; readonly bytes: number } {
    return { items: this.#items, bytes: this.#bytes };
  }
}

export interface Asked {
  /** In the order asked; each item is an answer or that item's own refusal, never "too large". Shorter only where it ended early. */
  readonly answers: readonly RpcAnswer[];
  readonly bytes: number;
}

export interface Batching {
  readonly transport: RpcTransport;
  readonly sizer: BatchSizer;
  readonly metrics: ChainNodeMetrics;
  readonly clock: Clock;
}

/** What one ask may take: dense blocks that follow on sparse ones must not arrive by the hundred. */
export const ENOUGH_BYTES = 9_000_000;

/**
 * Asks everything in as few requests as the provider takes. What came of a partial answer is kept and only the rest
 * asked again; "too large" asks for less. Ends early, after whole groups, when `enough` bytes have come, or trouble after some of them:
 * what came is paid for, and who asks on meets the trouble. Throws what the transport throws, and the refusal of a whole request.
 */
export async function askAll(batching: Batching, kind: string, calls: readonly RpcCall[], group: number, signal?: AbortSignal, enough = Number.POSITIVE_INFINITY): Promise<Asked> {
  const progress: Progress = { answers: calls.map(() => undefined), open: calls.map((_, index) => index), bytes: 0, throttled: 0 };
  const whole = (): number => Math.floor((progress.open[0] ?? calls.length) / group) * group;
  while (progress.open.length > 0 && (progress.bytes < enough || (progress.open[0] as number) < group)) {
    try {
      await askSome(batching, kind, calls, group, progress, signal);
    } catch (error) {
      const mayEndEarly = Number.isFinite(enough) && whole() > 0 && error instanceof ChainfoldError && signal?.aborted !== true;
      if (!mayEndEarly) throw error;
      break;
    }
  }
  const there = progress.open.length === 0 ? calls.length : whole();
  return { answers: progress.answers.slice(0, there) as RpcAnswer[], bytes: progress.bytes };
}

interface Progress {
  readonly answers: (RpcAnswer | undefined)[];
  /** Places of what is not answered, in order. */
  open: readonly number[];
  bytes: number;
  throttled: number;
}

/** One request more. What came of it is kept, also where it ends with trouble. */
async function askSome(batching: Batching, kind: string, calls: readonly RpcCall[], group: number, progress: Progress, signal: AbortSignal | undefined): Promise<void> {
  const { sizer, transport, metrics } = batching;
  const chunk = progress.open.slice(0, sizer.next(kind, progress.open.length, group));
  const asked = chunk.map((index) => calls[index] as RpcCall);
  const startedAt = batching.clock.monotonic();
  const reply = await counted(batching, asked, () => transport.send(asked, signal)).catch((error: unknown) => shrunk(sizer, kind, asked.length > group ? asked.length : 0, error));
  if (reply === undefined) return;
  metrics.request(transport.label, asked.length, reply.bytes, batching.clock.monotonic() - startedAt, reply.requests);
  progress.bytes += reply.bytes;
  const outcome: readonly (RpcAnswer | undefined)[] = reply.kind === 'answers' ? reply.answers : asked.map(() => ({ ok: false, refusal: reply.refusal }));
  const kept = keep(progress.answers, chunk, outcome);
  progress.open = progress.open.filter((index) => progress.answers[index] === undefined);
  count(batching, asked, outcome);
  if (kept.toThrow !== undefined) throw refusalError(kept.toThrow, asked[0]?.method ?? '', transport.label, transport.url);
  if (reply.kind === 'answers' && kept.done > 0) sizer.took(kind, kept.done, reply.bytes);
  if (kept.tooLarge) shrink(batching, asked, reply.kind, reply.bytes, kept.done);
  if (kept.wait !== undefined) await pause(batching, kept.wait, (progress.throttled += 1), asked, signal);
}

interface Kept {
  readonly done: number;
  readonly tooLarge: boolean;
  readonly wait: Refusal | undefined;
  readonly toThrow: Refusal | undefined;
}

function keep(answers: (RpcAnswer | undefined)[], chunk: readonly number[], outcome: readonly (RpcAnswer | undefined)[]): Kept {
  let done = 0;
  let tooLarge = false;
  let wait: Refusal | undefined;
  let toThrow: Refusal | undefined;
  for (const [place, answer] of outcome.entries()) {
    const meaning = answer === undefined ? 'split' : answer.ok ? undefined : meaningOf(answer.refusal);
    if (meaning === 'split') tooLarge = true;
    else if (meaning === 'throttled') wait = (answer as { refusal: Refusal }).refusal;
    else if (meaning === 'exhausted' || meaning === 'revoked' || meaning === 'down' || meaning === 'refused') {
      toThrow = (answer as { refusal: Refusal }).refusal;
    } else {
      answers[chunk[place] as number] = answer;
      done += 1;
    }
  }
  return { done, tooLarge, wait, toThrow };
}

/** A refusal of one call alone can not be halved any more. */
function shrink(batching: Batching, asked: readonly RpcCall[], kind: 'answers' | 'refused', bytes: number, done: number): void {
  const { sizer, transport } = batching;
  if (asked.length === 1) throw new NodeRefused(transport.label, 'split', { method: asked[0]?.method ?? '', what: 'one call alone is too large' });
  if (kind === 'answers' && done > 0) sizer.cutAt(bytes);
  else sizer.refusedItems(asked.length);
}

/** More than is read of one answer is asked for in smaller parts, unless a group alone is that large. */
function shrunk(sizer: BatchSizer, kind: string, items: number, error: unknown): undefined {
  const limit = error instanceof NodeAnswerInvalid && error.facts['what'] === 'too large' ? error.facts['limitBytes'] : undefined;
  if (items === 0 || typeof limit !== 'number') throw error;
  sizer.tooLarge(kind, items, limit);
}

async function pause(batching: Batching, refusal: Refusal, tries: number, asked: readonly RpcCall[], signal?: AbortSignal): Promise<void> {
  const waitMs = refusal.waitMs ?? 250 * 2 ** tries;
  const patient = tries <= THROTTLE_TRIES && waitMs <= 5_000;
  if (!patient) throw refusalError({ ...refusal, waitMs }, asked[0]?.method ?? '', batching.transport.label, batching.transport.url);
  await batching.clock.sleep(waitMs, signal);
}

async function counted<T>(batching: Batching, asked: readonly RpcCall[], send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    const invalid = error instanceof Error && 'code' in error && error.code === 'node-answer-invalid';
    for (const call of asked) batching.metrics.call(batching.transport.label, call.method, invalid ? 'invalid' : 'unreachable');
    throw error;
  }
}

function count(batching: Batching, asked: readonly RpcCall[], outcome: readonly (RpcAnswer | undefined)[]): void {
  for (const [place, call] of asked.entries()) batching.metrics.call(batching.transport.label, call.method, resultOf(outcome[place]));
}

function resultOf(answer: RpcAnswer | undefined): RequestResult {
  if (answer === undefined) return 'refused';
  if (answer.ok) return 'ok';
  return meaningOf(answer.refusal) === 'throttled' ? 'throttled' : 'refused';
}
