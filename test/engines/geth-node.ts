import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../e2e/stage/anvil-process.ts';
import { gethBinary } from './geth-binary.ts';

const run = promisify(execFile);
/** One scheme in all steps: only by hash does an archive answer for each block. */
const STATE = ['--state.scheme', 'hash', '--gcmode', 'archive'];

interface RpcAnswer {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** A real geth with a directory and ports of its own, which ends by its pid. */
export class GethNode {
  readonly url: string;
  readonly wsUrl: string;
  readonly #child: ChildProcess;
  readonly #directory: string;
  #said = '';

  private constructor(directory: string, ports: { readonly http: number; readonly ws: number }, args: readonly string[]) {
    this.#directory = directory;
    this.url = `http://127.0.0.1:${ports.http}`;
    this.wsUrl = `ws://127.0.0.1:${ports.ws}`;
    this.#child = spawn(gethBinary(), args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#said = (this.#said + text).slice(-4_000)));
  }

  /** Holds the chain of fixtures/execution-apis; safe and finalized stand where its forkchoice says. */
  static async ofExecutionApis(fixtures: string, args: readonly string[] = []): Promise<GethNode> {
    const { node, choose } = await GethNode.beforeForkchoice(fixtures, args);
    await choose();
    return node;
  }

  /** As nodes are that no consensus client drives: without safe and finalized until `choose`. */
  static async beforeForkchoice(fixtures: string, args: readonly string[] = []): Promise<{ readonly node: GethNode; readonly choose: () => Promise<void> }> {
    const dir = join(fixtures, 'execution-apis');
    const directory = temporaryDirectory();
    await run(gethBinary(), ['init', '--datadir', directory, '--state.scheme', 'hash', join(dir, 'genesis.json')]);
    await run(gethBinary(), ['import', '--datadir', directory, ...STATE, join(dir, 'chain.rlp')], { maxBuffer: 64 * 1024 * 1024 });
    const secret = randomBytes(32);
    const secretFile = join(directory, 'jwt.hex');
    writeFileSync(secretFile, secret.toString('hex'));
    const engine = await freePort();
    const { config } = JSON.parse(readFileSync(join(dir, 'genesis.json'), 'utf8')) as { config: { chainId: number } };
    const authenticated = ['--authrpc.addr', '127.0.0.1', '--authrpc.port', String(engine), '--authrpc.jwtsecret', secretFile];
    const node = await GethNode.#start(directory, ['--networkid', String(config.chainId), '--syncmode', 'full', ...STATE, ...authenticated, ...args]);
    const forkchoice = readFileSync(join(dir, 'headfcu.json'), 'utf8');
    return { node, choose: () => node.#untilAnswers(() => ask(`http://127.0.0.1:${engine}`, forkchoice, { authorization: `Bearer ${token(secret)}` })) };
  }

  /** A chain of its own that makes a block whenever a transaction comes. */
  static async dev(args: readonly string[] = []): Promise<GethNode> {
    return GethNode.#start(temporaryDirectory(), ['--dev', '--http.api', 'eth,net,web3,debug', ...args]);
  }

  static async #start(directory: string, args: readonly string[]): Promise<GethNode> {
    const [http, ws, p2p] = await Promise.all([freePort(), freePort(), freePort()]);
    const alone = ['--datadir', directory, '--nodiscover', '--maxpeers', '0', '--port', String(p2p), '--ipcdisable'];
    const serving = ['--http', '--http.addr', '127.0.0.1', '--http.port', String(http), '--ws', '--ws.addr', '127.0.0.1', '--ws.port', String(ws)];
    const node = new GethNode(directory, { http, ws }, [...alone, ...serving, ...args]);
    await node.#untilAnswers(() => node.rpc('eth_chainId'));
    return node;
  }

  async rpc<T = any>(method: string, params: readonly unknown[] = []): Promise<T> {
    const { result, error } = (await ask(this.url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))) as RpcAnswer;
    if (error !== undefined) throw new Error(`${method}: ${error.code} ${error.message}`);
    return result as T;
  }

  /** All in one request, answered as it comes. */
  async batch(calls: readonly (readonly [method: string, ...params: unknown[]])[]): Promise<readonly (RpcAnswer & { readonly id: number | null })[]> {
    return (await ask(this.url, JSON.stringify(calls.map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params }))))) as never;
  }

  /** As geth wrote it, before any JSON is read. */
  async blockReceiptsText(number: number): Promise<string> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_getBlockReceipts', params: [`0x${number.toString(16)}`] });
    const text = await (await post(this.url, body)).text();
    return text.trim().slice('{"jsonrpc":"2.0","id":1,"result":'.length, -1);
  }

  /** In dev mode: so many blocks, one after the other, each with one transfer. */
  async transfer(times: number): Promise<void> {
    const [from] = await this.rpc<string[]>('eth_accounts');
    for (let sent = 0; sent < times; sent += 1) {
      const hash = await this.rpc('eth_sendTransaction', [{ from, to: `0x${'11'.repeat(20)}`, value: '0x1' }]);
      await this.#untilAnswers(async () => {
        if ((await this.rpc('eth_getTransactionReceipt', [hash])) === null) throw new Error('not mined yet');
      });
    }
  }

  async head(): Promise<number> {
    return Number(await this.rpc<string>('eth_blockNumber'));
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((done) => this.#child.once('exit', done));
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #untilAnswers(probe: () => Promise<unknown>): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      try {
        await probe();
        return;
      } catch (error) {
        if (this.#child.exitCode !== null || tries > 600) throw new Error(`geth does not answer: ${String(error)}\n${this.#said}`, { cause: error });
        await new Promise((resume) => setTimeout(resume, 50));
      }
    }
  }
}

function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'chainfold-geth-'));
}

async function post(url: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer;
}

async function ask(url: string, body: string, headers?: Record<string, string>): Promise<unknown> {
  return (await post(url, body, headers)).json();
}

/** The engine port takes a token of the last minute. https://github.com/ethereum/execution-apis/blob/main/src/engine/authentication.md */
function token(secret: Uint8Array): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iat: Math.floor(Date.now() / 1000) })}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}
