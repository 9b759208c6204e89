import type { Clock } from '#platform/kernel';
import { HttpTransport } from './http.chain-node-transport.ts';
import type { PooledKey } from './provider-keys.ts';
import { WebSocketTransport, type WebSocketLimits } from './websocket.chain-node-transport.ts';

/** The connections of one provider's keys, made when first used; credentials of one budget take turns. */
export class KeyConnections {
  readonly #byAlias = new Map<string, PooledKey[]>();
  readonly #http = new Map<string, HttpTransport>();
  readonly #sockets = new Map<string, WebSocketTransport>();
  readonly #clock: Clock;
  readonly #limits: Partial<WebSocketLimits>;
  #turn = 0;

  constructor(keys: readonly PooledKey[], clock: Clock, limits: Partial<WebSocketLimits>) {
    for (const key of keys) this.#byAlias.set(key.alias, [...(this.#byAlias.get(key.alias) ?? []), key]);
    this.#clock = clock;
    this.#limits = limits;
  }

  get count(): number {
    return this.#byAlias.size;
  }

  get canPush(): boolean {
    return [...this.#byAlias.values()].flat().some(({ wsUrl }) => wsUrl !== undefined);
  }

  http(alias: string): HttpTransport {
    const { httpUrl } = this.#credential(alias);
    const transport = this.#http.get(httpUrl) ?? new HttpTransport(httpUrl, this.#limits);
    this.#http.set(httpUrl, transport);
    return transport;
  }

  /** Undefined: this key has no WebSocket. */
  socket(alias: string): WebSocketTransport | undefined {
    const { wsUrl } = this.#credential(alias);
    if (wsUrl === undefined) return undefined;
    const transport = this.#sockets.get(wsUrl) ?? new WebSocketTransport(wsUrl, this.#clock, this.#limits);
    this.#sockets.set(wsUrl, transport);
    return transport;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#http.values(), ...this.#sockets.values()].map((transport) => transport.close()));
  }

  #credential(alias: string): PooledKey {
    const credentials = this.#byAlias.get(alias) as PooledKey[];
    this.#turn += 1;
    return credentials[this.#turn % credentials.length] as PooledKey;
  }
}
