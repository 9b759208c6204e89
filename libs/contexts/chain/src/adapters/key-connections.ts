import type { Clock } from '#platform/kernel';
import { HttpTransport } from './http.chain-node-transport.ts';
import type { PooledKey } from './provider-keys.ts';
import { WebSocketTransport, type WebSocketLimits } from './websocket.chain-node-transport.ts';

export interface KeyConnectionsOptions {
  /** Of the provider: with the alias of a key it stands wherever others have an address. */
  readonly title: string;
  readonly keys: readonly PooledKey[];
  readonly clock: Clock;
  readonly limits: Partial<WebSocketLimits>;
  /** Told of each announcement on a key, with its bytes. */
  readonly pushed: (alias: string, bytes: number) => void;
}

/** The connections of one provider's keys, made when first used; credentials of one budget take turns, as far as they are not refused. */
export class KeyConnections {
  readonly #options: KeyConnectionsOptions;
  readonly #byAlias = new Map<string, PooledKey[]>();
  readonly #http = new Map<string, HttpTransport>();
  readonly #sockets = new Map<string, WebSocketTransport>();
  readonly #refused = new Set<PooledKey>();
  #turn = 0;

  constructor(options: KeyConnectionsOptions) {
    this.#options = options;
    for (const key of options.keys) this.#byAlias.set(key.alias, [...(this.#byAlias.get(key.alias) ?? []), key]);
  }

  get count(): number {
    return this.#byAlias.size;
  }

  /** Keys on which heads can be announced. */
  get pushing(): readonly string[] {
    return this.#aliases((keys) => keys.some(({ wsUrl }) => wsUrl !== undefined));
  }

  get mute(): readonly string[] {
    return this.#aliases((keys) => keys.every(({ wsUrl }) => wsUrl === undefined));
  }

  has(alias: string): boolean {
    return this.#byAlias.has(alias);
  }

  http(alias: string): HttpTransport {
    const { httpUrl } = this.#nextOf(this.#usable(alias));
    const transport = this.#http.get(httpUrl) ?? new HttpTransport(httpUrl, this.#options.limits, this.#labelOf(alias));
    this.#http.set(httpUrl, transport);
    return transport;
  }

  /** Undefined: this key has no WebSocket. */
  socket(alias: string): WebSocketTransport | undefined {
    const urls = this.#usable(alias).flatMap(({ wsUrl }) => wsUrl ?? []);
    if (urls.length === 0) return undefined;
    const wsUrl = this.#nextOf(urls);
    const { clock, limits, pushed } = this.#options;
    const transport = this.#sockets.get(wsUrl) ?? new WebSocketTransport(wsUrl, clock, limits, { label: this.#labelOf(alias), pushed: (bytes) => pushed(alias, bytes) });
    this.#sockets.set(wsUrl, transport);
    return transport;
  }

  /** The credential with this address is refused. False: all of this key are, and each may be tried again. */
  refused(alias: string, url: string): boolean {
    const own = this.#byAlias.get(alias) ?? [];
    for (const key of own) if (key.httpUrl === url || key.wsUrl === url) this.#refused.add(key);
    if (this.#usable(alias).length > 0) return true;
    for (const key of own) this.#refused.delete(key);
    return false;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#http.values(), ...this.#sockets.values()].map((transport) => transport.close()));
  }

  #usable(alias: string): readonly PooledKey[] {
    return (this.#byAlias.get(alias) ?? []).filter((key) => !this.#refused.has(key));
  }

  #labelOf(alias: string): string {
    return `${this.#options.title} (${alias})`;
  }

  #aliases(fits: (keys: readonly PooledKey[]) => boolean): readonly string[] {
    return [...this.#byAlias].flatMap(([alias, keys]) => (fits(keys) ? [alias] : []));
  }

  #nextOf<T>(credentials: readonly T[]): T {
    this.#turn += 1;
    return credentials[this.#turn % credentials.length] as T;
  }
}
