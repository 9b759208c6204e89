import { Pool } from 'undici';

export interface UpstreamAnswer {
  readonly status: number;
  readonly bytes: Buffer;
}

/** The node behind the providers. */
export class UpstreamNode {
  /** Undefined: it takes no subscriptions. */
  readonly ws: string | undefined;
  readonly #pool: Pool;
  readonly #path: string;

  constructor({ http, ws }: { readonly http: string; readonly ws?: string | undefined }) {
    const address = new URL(http);
    this.ws = ws;
    this.#path = `${address.pathname}${address.search}`;
    this.#pool = new Pool(address.origin);
  }

  async ask(bytes: Buffer): Promise<UpstreamAnswer> {
    const { statusCode, body } = await this.#pool.request({ method: 'POST', path: this.#path, headers: { 'content-type': 'application/json' }, body: bytes });
    return { status: statusCode, bytes: Buffer.from(await body.arrayBuffer()) };
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}
