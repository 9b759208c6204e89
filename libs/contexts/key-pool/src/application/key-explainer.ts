import type { Plannable, Planning } from '../contracts/index.ts';
import { explainRole } from '../domain/explain.ts';
import { KeyExplainer, type KeyExplanation } from '../ports/key-desk.port.ts';
import type { KeyBoard, KeyOnBoard, LimitUse } from './key-board.ts';

/** What is planned for the chains, and what is true of a key now, in sentences. */
export class PlannedKeyExplainer extends KeyExplainer {
  readonly #board: KeyBoard;
  readonly #planned = new Map<string, { readonly providers: readonly Plannable[]; readonly planning: Planning }>();

  constructor(board: KeyBoard) {
    super();
    this.#board = board;
  }

  planned(chainId: string, providers: readonly Plannable[], planning: Planning): void {
    this.#planned.set(chainId, { providers, planning });
  }

  async explain(alias: string): Promise<KeyExplanation> {
    const key = await this.#board.one(alias);
    const chains = [...this.#planned].map(([chainId, plan]) => explainRole(key.provider, { chainId, ...plan }));
    return { alias, chains, now: factsOf(key) };
  }
}

function factsOf({ state, until, reason, limits, leases, lastRefusal, unit }: KeyOnBoard): readonly string[] {
  const said = reason === undefined ? '' : `: ${reason.replace(/\.$/, '')}`;
  const status = state === 'ready' ? 'It is ready.' : `It is ${state}${until === null ? '' : ` until ${until}`}${said}.`;
  const held = leases.length === 0 ? 'Nobody holds it.' : `${leases.map(({ holder }) => holder).join(', ')} ${leases.length === 1 ? 'holds' : 'hold'} it.`;
  const kept = leases.some(({ headOnly }) => headOnly) ? ['What is left of its quota is kept for heads.'] : [];
  const refused = lastRefusal === null ? [] : [`It was last refused at ${lastRefusal.at} (${lastRefusal.state}).`];
  return [status, ...limits.map((limit) => leftOf(limit, unit)), held, ...kept, ...refused];
}

function leftOf({ name, units, left, period, windowMs, resetsAt }: LimitUse, unit: string): string {
  const when = period === undefined ? `in any ${(windowMs ?? 0) / 1_000} s` : `this ${period}, until ${resetsAt}`;
  return `${name}: ${Math.floor(left)} of ${units} ${unit} left ${when}.`;
}
