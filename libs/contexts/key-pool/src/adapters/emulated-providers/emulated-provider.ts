import type { Clock } from '#platform/kernel';
import type { EmulatedFaults } from './emulated-faults.ts';
import type { Latency } from './emulated-latency.ts';
import type { Reply, Wire } from './emulated-reply.ts';
import { dated, refuses, says } from './emulated-reply.ts';
import { faultRefusal } from './fault-refusals.ts';
import type { Passage, ProviderGate } from './provider-gate.ts';
import type { ProviderManner } from './provider-manner.ts';
import type { Referee } from './referee.ts';
import type { RefusalBody } from './refusal-bodies.ts';
import type { Envelope } from './rpc-envelope.ts';
import { errorItem, readEnvelope, withItems } from './rpc-envelope.ts';
import type { UpstreamAnswer } from './upstream-node.ts';

export type AskNode = (bytes: Buffer) => Promise<UpstreamAnswer>;

export interface ProviderParts {
  readonly manner: ProviderManner;
  readonly gate: ProviderGate;
  readonly referee: Referee;
  readonly faults: EmulatedFaults;
  /** Alias by secret. */
  readonly accounts: ReadonlyMap<string, string>;
  readonly clock: Clock;
  readonly latency: () => Latency;
  /** Ends every pause. */
  readonly closing: AbortSignal;
}

/** One provider, whatever the wire: takes a request of an account and says what goes back. */
export class EmulatedProvider {
  readonly manner: ProviderManner;
  readonly #parts: ProviderParts;

  constructor(parts: ProviderParts) {
    this.#parts = parts;
    this.manner = parts.manner;
  }

  aliasOf(secret: string): string | undefined {
    return this.#parts.accounts.get(secret);
  }

  /** `alias` undefined: nobody's key. */
  async handle(alias: string | undefined, over: Wire, bytes: Buffer, ask: AskNode): Promise<Reply> {
    const { wayInMs, wayBackMs } = this.#parts.latency();
    // As drawn: a timer that fires late on a busy machine is no part of the way to a provider.
    const meteredAt = this.#parts.clock.monotonic() + wayInMs;
    await this.#pause(wayInMs);
    const [{ reply, dateShiftMs }] = await Promise.all([this.#decide({ alias, over, bytes, at: meteredAt }, ask), this.#pause(wayBackMs)]);
    return dated(reply, this.#parts.referee.wallOf(this.manner.provider) + dateShiftMs);
  }

  /** Why no WebSocket is opened for this key, if so. */
  refusesSocket(alias: string | undefined): RefusalBody | undefined {
    const { faults, manner, referee } = this.#parts;
    if (alias === undefined) {
      referee.stranger(manner.provider);
      return manner.refusals.unknownKey();
    }
    const [fault] = faults.take({ provider: manner.provider, account: alias, over: 'ws', methods: ['connect'], only: ['exhausted', 'unauthorized', 'status'] });
    const refusal = fault === undefined ? undefined : faultRefusal(fault, manner);
    if (refusal !== undefined) referee.refused(alias, 'fault', fault?.kind ?? null, ['connect']);
    return refusal ?? (referee.connected(alias) === undefined ? undefined : manner.refusals.quota());
  }

  /** What becomes of a notification. */
  push(alias: string, bytes: number): 'goes' | 'stays' | 'severs' | 'mutes' {
    const { faults, manner, referee } = this.#parts;
    const [mute] = faults.take({ provider: manner.provider, account: alias, over: 'ws', methods: ['eth_subscription'], only: ['mute'] });
    if (referee.push(alias, bytes) !== undefined) return manner.severs ? 'severs' : 'stays';
    return mute === undefined ? 'goes' : 'mutes';
  }

  /** So long a notification is on its way. */
  pushDelay(): Promise<void> {
    return this.#pause(this.#parts.latency().wayBackMs);
  }

  async #decide({ alias, over, bytes, at }: Arrived, ask: AskNode): Promise<Decided> {
    const { manner, referee, gate } = this.#parts;
    const envelope = readEnvelope(bytes);
    if (alias === undefined) {
      referee.stranger(manner.provider);
      return decided(refuses(manner.refusals.unknownKey(), over, envelope));
    }
    if (bytes.length > manner.mostRequestBytes) {
      referee.refused(alias, 'size', null, ['request']);
      return decided(refuses(manner.refusals.tooLarge(), over, envelope));
    }
    if (envelope === undefined) return decided(says(400, errorItem(null, { code: -32700, message: 'Parse error' })));
    const passage = await gate.judge({ account: alias, over, envelope, at });
    const { dateShiftMs } = passage;
    if (passage.kind === 'refused') return decided(refuses(passage.refusal, over, envelope, passage.severs), dateShiftMs);
    if (passage.kind !== 'passes') return decided({ kind: passage.kind });
    const answer = await answered(passage, envelope, ask);
    return decided(passage.lost ? { kind: 'cut' } : answer, dateShiftMs);
  }

  #pause(ms: number): Promise<void> {
    return ms <= 0 ? Promise.resolve() : this.#parts.clock.sleep(ms, this.#parts.closing);
  }
}

interface Arrived {
  readonly alias: string | undefined;
  readonly over: Wire;
  readonly bytes: Buffer;
  /** At the meter, on the monotonic clock. */
  readonly at: number;
}

interface Decided {
  readonly reply: Reply;
  readonly dateShiftMs: number;
}

function decided(reply: Reply, dateShiftMs = 0): Decided {
  return { reply, dateShiftMs };
}

async function answered({ forward, items, status }: Extract<Passage, { kind: 'passes' }>, { batch }: Envelope, ask: AskNode): Promise<Reply> {
  if (forward === undefined) return says(status, batch ? `[${items.join(',')}]` : (items[0] ?? ''));
  const answer = await ask(forward).catch(() => undefined);
  return answer === undefined ? says(503, 'Service Unavailable') : says(answer.status, withItems(answer.bytes, items));
}
