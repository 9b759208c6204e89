export type RequestResult = 'ok' | 'refused' | 'throttled' | 'unreachable' | 'invalid';

/** Counts what is asked of nodes. Labels are free of secrets. */
export interface ChainNodeMetrics {
  /** One JSON-RPC call and how it ended. */
  call(node: string, method: string, result: RequestResult): void;
  /** One request over the wire: how many calls it carried, what came, how long it took. */
  request(node: string, calls: number, bytes: number, milliseconds: number): void;
}

export const uncounted: ChainNodeMetrics = { call: () => undefined, request: () => undefined };
