/** Why a key was or was not chosen; sentences for people. */
export interface KeyExplanation {
  readonly alias: string;
  readonly chains: readonly { readonly chainId: string; readonly role: readonly string[]; readonly chosen: boolean; readonly because: string }[];
  readonly now: readonly string[];
}

export interface KeyProbeResult {
  readonly alias: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly chainId: string | null;
  readonly head: number | null;
  /** What the answer means for the key. */
  readonly class: string;
  readonly message?: string;
}

/** Says why this key is used, or not. */
export abstract class KeyExplainer {
  abstract explain(alias: string): Promise<KeyExplanation>;
}

/** Asks this one key for its chain and head, within its budget. */
export abstract class KeyProbe {
  abstract probe(alias: string): Promise<KeyProbeResult>;
}
