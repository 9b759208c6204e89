/**
 * What a user feels while the built product is busy: `npm run build`, then
 * `node --conditions=source test/load/rest.bench.ts [runs] [blocks]`. The node is a replay node in a process of its own
 * with 40 transactions a block. Prints one JSON line a figure, asserts nothing. PROFILE=folder keeps CPU profiles.
 */
import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { generateChain } from './generated-chain.ts';
import { ReplayNode } from './replay-node.ts';

const [, , runs = '3', past = '3000', role] = process.argv;
const PAST = Number(past);
const HEADS = 150;
const HEAD_EVERY_MS = 200;
const TRANSACTIONS = 40;
const REQUEST_EVERY_MS = 5;
const QUIET_MS = 3_000;
const SENT_TO = 0xc0ffee;

async function measure(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'chainfold-bench-'));
  const node = fork(import.meta.filename, ['1', past, 'serve'], { execArgv: ['--conditions=source'] });
  const { url, chainId } = await new Promise<{ url: string; chainId: string }>((told) => node.once('message', (value) => told(value as { url: string; chainId: string })));
  const product = await Product.start(directory, url);
  try {
    await product.until(`/chains/${chainId}`, (chain) => chain['head'] !== null && chain['status'] === 'following');
    await follow(product, node, chainId);
    await read(product, chainId, 'quiet', wait(QUIET_MS));
    const { id } = await product.ask('POST', `/chains/${chainId}/backfills`, { from: 1, to: PAST - 2 });
    const backfill = `/chains/${chainId}/backfills/${String(id)}`;
    await product.until(backfill, ({ done }) => Number(done) > 0);
    const finished = product.until(backfill, ({ state }) => state === 'finished');
    await read(product, chainId, 'backfill', finished);
    figure('rest.backfill-beside-reads', Number((await finished)['blocksPerSecond']), 'blocks/s', 500, false);
  } finally {
    await product.stop();
    node.disconnect();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A block at a time, as a live chain: from its event on the live line, which is durable, to the block in an answer. */
async function follow(product: Product, node: ChildProcess, chainId: string): Promise<void> {
  const visible: number[] = [];
  const recorded: number[] = [];
  const heard = product.listen('types=BlockObserved');
  for (let head = PAST; head < PAST + HEADS; head += 1) {
    node.send(head);
    const event = await heard.next();
    const durable = performance.now();
    const answer = await product.ask('GET', `/chains/${chainId}/blocks/${head}?atLeast=${encodeURIComponent(event.position)}`);
    visible.push(performance.now() - durable);
    recorded.push(Date.now() - Date.parse(event.recordedAt));
    if (answer['number'] !== head) throw new Error(`asked for block ${head}: ${JSON.stringify(answer)}`);
    await wait(HEAD_EVERY_MS);
  }
  heard.stop();
  shares('rest.durable-to-visible', visible, 5, 10);
  shares('rest.decided-to-visible', recorded, 15, 25);
}

/** 200 requests a second at even times, whether or not the ones before are answered, until `done`. */
async function read(product: Product, chainId: string, when: string, done: Promise<unknown>): Promise<void> {
  const { items } = (await product.ask('GET', `/chains/${chainId}/blocks?limit=20`)) as { items: { number: number }[] };
  const [first] = items;
  const { items: transactions } = (await product.ask('GET', `/chains/${chainId}/blocks/${first?.number}/transactions?limit=40`)) as { items: { hash: string }[] };
  const address = (at: number): string => `0x${(SENT_TO + (at % 50)).toString(16).padStart(40, '0')}`;
  const kinds: readonly (readonly [string, (at: number) => string])[] = [
    ['page', () => `/chains/${chainId}/blocks?limit=25`],
    ['address', (at) => `/chains/${chainId}/addresses/${address(at)}/transactions?limit=25`],
    ['block-body', (at) => `/chains/${chainId}/blocks/${items[at % items.length]?.number}/transactions?limit=25`],
    ['transaction', (at) => `/chains/${chainId}/transactions/${transactions[at % transactions.length]?.hash}`],
  ];
  const took = new Map<string, number[]>(kinds.map(([kind]) => [kind, []]));
  const open = new Set<Promise<void>>();
  let going = true;
  void done.finally(() => (going = false));
  const started = performance.now();
  for (let at = 0; going; ) {
    for (; performance.now() - started >= at * REQUEST_EVERY_MS; at += 1) {
      const [kind, path] = kinds[at % kinds.length] as (typeof kinds)[number];
      const sent = performance.now();
      const asking = product.ask('GET', path(Math.floor(at / kinds.length))).then(() => void took.get(kind)?.push(performance.now() - sent));
      const kept: Promise<void> = asking.finally(() => open.delete(kept));
      open.add(kept);
    }
    await wait(1);
  }
  await Promise.all(open);
  for (const [kind, times] of took) shares(`rest.${when}.${kind}`, times, 10, 20);
  shares(`rest.${when}.all`, [...took.values()].flat(), 10, 20);
}

type Answer = Readonly<Record<string, unknown>>;

/** The built program, started as a user starts it. */
class Product {
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  static async start(directory: string, rpcUrl: string): Promise<Product> {
    const root = resolve(import.meta.dirname, '../..');
    const folder = process.env['PROFILE'];
    const profile = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: '0', LOG_FORMAT: 'json', LOG_LEVEL: 'info', DATA_DIR: directory, RPC_URL: rpcUrl };
    const child = spawn(process.execPath, [...profile, join(root, 'dist/apps/all-in-one/src/main.js')], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let out = '';
    return new Promise((ready, died) => {
      child.once('exit', (code) => died(new Error(`the product ended with ${code}:\n${out}`)));
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out = `${out}${text}`.slice(-20_000);
        const url = /ready at (http:\/\/127\.0\.0\.1:\d+)/.exec(out)?.[1];
        if (url !== undefined) ready(new Product(child, url));
      });
    });
  }

  async ask(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    if (method === 'GET') return this.#get(path);
    const answer = await fetch(`${this.#url}/api/v1${path}`, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  }

  async until(path: string, isSo: (answer: Answer) => boolean): Promise<Answer> {
    for (let tries = 0; tries < 6_000; tries += 1) {
      const answer = await this.ask('GET', path).catch((): Answer | undefined => undefined);
      if (answer !== undefined && isSo(answer)) return answer;
      await wait(100);
    }
    throw new Error(`never so: ${path}`);
  }

  /** The live line of the log. */
  listen(query: string): { next(): Promise<{ position: string; recordedAt: string }>; stop(): void } {
    const events: { position: string; recordedAt: string }[] = [];
    let wake = (): void => undefined;
    let text = '';
    const request = get(`${this.#url}/api/v1/events/live?${query}`, (answer) => {
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        const whole = text.split('\n\n');
        text = whole.pop() ?? '';
        for (const one of whole) {
          const data = /^data: (\{.*\})$/m.exec(one)?.[1];
          if (data?.includes('"BlockObserved"') === true) events.push(JSON.parse(data) as { position: string; recordedAt: string });
        }
        wake();
      });
      answer.on('error', () => undefined);
    });
    request.on('error', () => undefined);
    const next = async (): Promise<{ position: string; recordedAt: string }> => {
      while (events.length === 0) await new Promise<void>((resume) => (wake = resume));
      return events.shift() as { position: string; recordedAt: string };
    };
    return { next, stop: () => void request.destroy() };
  }

  stop(): Promise<void> {
    this.#agent.destroy();
    return new Promise((done) => {
      this.#child.once('exit', () => done());
      this.#child.kill('SIGINT');
    });
  }

  /** Light, so that asking takes little of the two cores. */
  #get(path: string): Promise<Answer> {
    return new Promise((done, failed) => {
      const request = get(`${this.#url}/api/v1${path}`, { agent: this.#agent }, (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('error', failed);
        answer.on('end', () => {
          const text = Buffer.concat(pieces).toString();
          if (answer.statusCode === 200) done(JSON.parse(text) as Answer);
          else failed(new Error(`${path}: ${answer.statusCode} ${text}`));
        });
      });
      request.on('error', failed);
    });
  }
}

type Figure = { readonly unit: string; readonly target: number; readonly lowerIsBetter: boolean; readonly runs: number[] };
const figures = new Map<string, Figure>();

function figure(bench: string, value: number, unit: string, target: number, lowerIsBetter: boolean): void {
  const known = figures.get(bench) ?? { unit, target, lowerIsBetter, runs: [] };
  known.runs.push(Math.round(value * 100) / 100);
  figures.set(bench, known);
}

function shares(bench: string, times: number[], p50: number, p99: number): void {
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  figure(`${bench}.p50`, at(0.5), 'ms', p50, true);
  figure(`${bench}.p99`, at(0.99), 'ms', p99, true);
}

function print(): void {
  for (const [bench, { unit, target, lowerIsBetter, runs: values }] of figures) {
    const value = [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
    console.log(JSON.stringify({ bench, value, unit, target, lowerIsBetter, runs: values }));
  }
}

// Made in the process that serves it, so that neither shares a thread with who asks.
if (role === 'serve') {
  const chain = await generateChain({ seed: 5, blocks: PAST + HEADS, transactionsPerBlock: TRANSACTIONS });
  chain.head = PAST - 1;
  const node = await ReplayNode.start(chain);
  process.send?.({ url: node.wsUrl, chainId: chain.chainId.toString() });
  process.on('message', (head: number) => node.advanceTo(head));
  process.on('disconnect', () => process.exit());
} else {
  for (let run = 0; run < Number(runs); run += 1) await measure();
  print();
}
