export type RequestResult = 'ok' | 'refused' | 'throttled' | 'unreachable' | 'invalid';

/** Counts what is asked of nodes. Labels are free of secrets. */
export interface ChainNodeMetrics {
  /** One JSON-RPC call and how it ended. */
  call(node: string, method: string, result: RequestResult): void;
  /** What was asked at once: how many calls, what came, how long it took, in how many requests over the wire (one where left out). */
  request(node: string, calls: number, bytes: number, milliseconds: number, requests?: number): void;
}

export const uncounted: ChainNodeMetrics = { call: () => undefined, request: () => undefined };
