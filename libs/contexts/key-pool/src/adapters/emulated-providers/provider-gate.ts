import type { EmulatedFaults, Misbehaviour } from './emulated-faults.ts';
import { bareThrottle, faultRefusal, tooManyResults } from './fault-refusals.ts';
import type { HeadSight } from './head-sight.ts';
import type { Overrun } from './limit-gauges.ts';
import type { ProviderManner } from './provider-manner.ts';
import type { Referee } from './referee.ts';
import type { RefusalBody } from './refusal-bodies.ts';
import type { Envelope } from './rpc-envelope.ts';
import { envelopeOf, errorItem, nullItem } from './rpc-envelope.ts';

/** What becomes of a request. */
export type Passage = { readonly dateShiftMs: number } & (
  | { readonly kind: 'refused'; readonly refusal: RefusalBody; readonly severs: boolean }
  /** Its answer: what the node says to `forward`, with these items; `lost`: it is cut off on the way back. */
  | { readonly kind: 'passes'; readonly forward: Buffer | undefined; readonly items: readonly string[]; readonly status: number; readonly lost: boolean }
  | { readonly kind: 'silent' }
  | { readonly kind: 'cut' }
);

export interface Judged {
  readonly account: string;
  readonly over: 'http' | 'ws';
  readonly envelope: Envelope;
  /** On the monotonic clock; undefined: now. */
  readonly at?: number | undefined;
}

export interface GateParts {
  readonly manner: ProviderManner;
  readonly unsupported: readonly string[];
  readonly referee: Referee;
  readonly faults: EmulatedFaults;
  readonly sight: HeadSight;
}

/** Where one provider decides about a request: faults that refuse it, methods, the meter, faults that follow the meter. */
export class ProviderGate {
  readonly #parts: GateParts;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  async judge({ account, over, envelope, at }: Judged): Promise<Passage> {
    const { manner, faults } = this.#parts;
    const methods = envelope.calls.map(({ method }) => method);
    const taken = faults.take({ provider: manner.provider, account, over, methods });
    const dateShiftMs = taken.reduce((sum, fault) => sum + (fault.kind === 'wrong-date' ? fault.ms : 0), 0);
    const instead = taken.find(({ kind }) => kind !== 'wrong-date' && kind !== 'lagging');
    if (instead?.kind === 'lost' && instead.where === 'way-in') return { kind: 'cut', dateShiftMs };
    const refusal = instead === undefined ? undefined : this.#refusalBy(instead, envelope);
    if (refusal !== undefined) {
      this.#parts.referee.refused(account, 'fault', instead?.kind ?? null, methods);
      return { kind: 'refused', refusal, severs: manner.severs && instead?.kind === 'exhausted', dateShiftMs };
    }
    const items = this.#refusedItems(account, envelope, instead);
    const overrun = this.#meter({ account, envelope, at }, items);
    if (overrun !== undefined) return { kind: 'refused', refusal: this.#refusalOf(overrun), severs: manner.severs && overrun.reason === 'quota', dateShiftMs };
    if (instead?.kind === 'mute') return { kind: 'silent', dateShiftMs };
    const status = await this.#spoil(envelope, items, taken);
    const forward = items.size === envelope.calls.length ? undefined : envelopeOf(envelope, (at) => !items.has(at));
    return { kind: 'passes', forward, items: inOrder(items), status, lost: instead?.kind === 'lost', dateShiftMs };
  }

  #refusalBy(fault: Misbehaviour, { batch }: Envelope): RefusalBody | undefined {
    const { manner } = this.#parts;
    const single = fault.kind === 'throttle' && fault.tells === 'each' && !batch;
    return single ? bareThrottle(manner) : faultRefusal(fault, manner);
  }

  /** Calls that are refused one by one before the meter sees them. */
  #refusedItems(account: string, { calls }: Envelope, fault: Misbehaviour | undefined): Map<number, string> {
    const { manner, unsupported, referee } = this.#parts;
    const items = new Map<number, string>();
    for (const [at, { id, method }] of calls.entries()) {
      const missing = unsupported.includes(method);
      if (!missing && !(fault?.kind === 'throttle' && at % 2 === 1)) continue;
      const { body } = missing ? manner.refusals.unsupported(method) : bareThrottle(manner);
      if (typeof body !== 'string') items.set(at, errorItem(id, body));
      referee.refused(account, missing ? 'method' : 'fault', missing ? null : 'throttle', [method]);
    }
    return items;
  }

  /** Adds what the meter refuses of a batch; answers why the request is refused as a whole, if it is. */
  #meter({ account, envelope, at: moment }: Omit<Judged, 'over'>, items: Map<number, string>): Overrun | undefined {
    const { manner, referee } = this.#parts;
    const { calls, batch } = envelope;
    const metered = [...calls.entries()].filter(([at]) => !items.has(at));
    if (metered.length === 0) return undefined;
    const each = manner.judgesEach && batch;
    const verdicts = referee.request(account, metered.map(([, { method }]) => method), each, moment);
    const refused = verdicts.filter((verdict) => verdict !== undefined);
    const gone = refused.find(({ reason }) => reason === 'quota');
    if (!each || (gone !== undefined && refused.length === calls.length)) return gone ?? refused[0];
    for (const [place, [at, { id }]] of metered.entries()) {
      const over = verdicts[place];
      const body = over === undefined ? '' : this.#refusalOf(over).body;
      if (typeof body !== 'string') items.set(at, errorItem(id, body));
    }
    return undefined;
  }

  /** Answers that are not what the node says; the status of HTTP. */
  async #spoil({ calls, batch }: Envelope, items: Map<number, string>, faults: readonly Misbehaviour[]): Promise<number> {
    let status = 200;
    for (const fault of faults) {
      if (fault.kind === 'lagging') await this.#parts.sight.look();
      for (const [at, call] of calls.entries()) {
        if (items.has(at)) continue;
        if (fault.kind === 'limit-exceeded' && call.method === 'eth_getLogs') items.set(at, errorItem(call.id, tooManyResults(call)));
        const missing = fault.kind === 'lagging' ? this.#parts.sight.missing(call, fault.ms) : undefined;
        if (missing === undefined || fault.kind !== 'lagging') continue;
        const told = fault.tells === 'not-processed';
        items.set(at, told ? errorItem(call.id, { code: -32603, message: `Block ${missing} not processed yet` }) : nullItem(call.id));
        if (told && !batch) status = 500;
      }
    }
    return status;
  }

  #refusalOf(over: Overrun): RefusalBody {
    const { refusals, allowedPerSecond } = this.#parts.manner;
    return over.reason === 'quota' ? refusals.quota() : refusals.rate({ waitMs: over.waitMs, allowedPerSecond });
  }
}

function inOrder(items: ReadonlyMap<number, string>): string[] {
  return [...items].sort(([one], [other]) => one - other).map(([, item]) => item);
}
