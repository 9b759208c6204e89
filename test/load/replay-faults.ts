/** A call as it came in. */
export interface SeenCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What the node does instead of answering well. */
export type Misdeed =
  | { readonly kind: 'null' }
  | { readonly kind: 'error'; readonly code: number; readonly message: string; readonly data?: unknown }
  /** Changes the result before it is sent. */
  | { readonly kind: 'edit'; readonly edit: (result: Record<string, unknown> & unknown[]) => unknown }
  /** The item is left out of the answer. */
  | { readonly kind: 'omit' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** The request as a whole: */
  | { readonly kind: 'status'; readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: 'truncate'; readonly keep: number }
  | { readonly kind: 'raw'; readonly body: string }
  | { readonly kind: 'mute' }
  | { readonly kind: 'cut' };

export interface Fault {
  /** Left out: any method. */
  readonly method?: string;
  readonly when?: (call: SeenCall) => boolean;
  /** Left out: for ever. */
  times?: number;
  readonly does: Misdeed;
}

/** The faults a node has been told to show, in the order told. */
export class Faults {
  #list: Fault[] = [];

  add(fault: Fault): () => void {
    const own = { ...fault };
    this.#list.push(own);
    return () => (this.#list = this.#list.filter((one) => one !== own));
  }

  clear(): void {
    this.#list = [];
  }

  /** The first fault that concerns this call; counts it as shown. */
  take(call: SeenCall): Misdeed | undefined {
    const fault = this.#list.find((one) => (one.method === undefined || one.method === call.method) && (one.when?.(call) ?? true));
    if (fault === undefined) return undefined;
    if (fault.times !== undefined) {
      fault.times -= 1;
      if (fault.times <= 0) this.#list = this.#list.filter((one) => one !== fault);
    }
    return fault.does;
  }
}
