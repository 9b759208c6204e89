import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { anvilBinary } from '../../../libs/contexts/chain/src/adapters/anvil/anvil-binary.ts';

/** A real node of our own, for tests that play the user's node. */
export class AnvilProcess {
  readonly url: string;
  readonly #child: ChildProcess;
  #id = 0;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start(options: { port?: number; args?: readonly string[] } = {}): Promise<AnvilProcess> {
    const port = options.port ?? (await freePort());
    const args = ['--port', String(port), '--no-mining', '--silent', '--order', 'fifo', ...(options.args ?? [])];
    const node = new AnvilProcess(spawn(anvilBinary(), args, { stdio: 'ignore' }), port);
    for (let tries = 0; ; tries++) {
      try {
        await node.rpc('eth_chainId');
        return node;
      } catch (error) {
        if (tries > 200) throw error;
        await new Promise((resume) => setTimeout(resume, 50));
      }
    }
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  async rpc<T = any>(method: string, params: readonly unknown[] = []): Promise<T> {
    const answer = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: ++this.#id, method, params }),
    });
    const { result, error } = (await answer.json()) as { result: T; error?: { message: string } };
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  /** Mines `blocks` blocks, each with `transfers` plain transfers in it. */
  async mine(blocks: number, transfers = 0): Promise<void> {
    const [from, to] = await this.rpc<[string, string]>('eth_accounts');
    for (let block = 0; block < blocks; block++) {
      for (let index = 0; index < transfers; index++) {
        await this.rpc('eth_sendTransaction', [{ from, to, value: '0x1', gas: '0x5208' }]);
      }
      await this.rpc('evm_mine');
    }
  }

  async head(): Promise<number> {
    return Number(await this.rpc<string>('eth_blockNumber'));
  }

  stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return Promise.resolve();
    return new Promise((done) => {
      this.#child.once('exit', () => done());
      this.#child.kill('SIGKILL');
    });
  }
}

export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}
