import type { JsonValue } from '#platform/kernel';

export interface RpcCall {
  readonly method: string;
  readonly params: readonly JsonValue[];
}

export type RpcOutcome = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly message: string };

/**
 * A development node that this process owns: it starts it, keeps its chain across restarts and ends it. The same
 * data directory always gives the same chain. When the node dies it comes back at the same address with the chain as
 * last saved, so its head may then be lower than what was captured before: a rollback of the blocks since that save.
 */
export abstract class EmbeddedNode {
  /** HTTP, and with ws:// WebSocket. The same from the first `start` to `stop`. */
  abstract readonly url: string;
  /** Rises with every start of the underlying process: states of older blocks are gone then, so no reorg may reach across. */
  abstract readonly incarnation: number;

  /** Resolves when the node answers. Throws `embedded-node-unsupported`, `embedded-node-failed`. */
  abstract start(): Promise<void>;
  /** In one HTTP request; answers in the order asked. Throws `embedded-node-unreachable` while the node restarts. */
  abstract request(calls: readonly RpcCall[]): Promise<readonly RpcOutcome[]>;
  /** Makes what was mined so far durable. */
  abstract save(): Promise<void>;
  /** Saves and ends the node. May be called twice. */
  abstract stop(): Promise<void>;
}

/** What an embedded node writes about itself; a pino logger fits. */
export interface EmbeddedNodeLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  isLevelEnabled?(level: string): boolean;
}
