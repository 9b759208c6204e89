import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '#platform/kernel';
import type { EmbeddedNodeLog } from '../ports/embedded-node.port.ts';
import { AnvilEmbeddedNode } from './anvil.embedded-node.ts';
import { isAlive } from './anvil/anvil-orphan.ts';

const quiet: EmbeddedNodeLog = { debug: () => undefined, info: () => undefined, warn: () => undefined };

describe('the embedded node', () => {
  let dir: string;
  const nodes: AnvilEmbeddedNode[] = [];
  const open = (options: { saveEveryMs?: number; fresh?: boolean; maxBlocks?: number } = {}): AnvilEmbeddedNode => {
    const node = new AnvilEmbeddedNode({ dir, ...options }, quiet, systemClock);
    nodes.push(node);
    return node;
  };

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'chainfold-anvil-'));
  });
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('listens on the loopback interface, as chain 31337, from a genesis block that is always the same', async () => {
    const node = open();
    await node.start();
    expect(node.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await results(node, 'eth_chainId')).toEqual(['0x7a69']);
    const genesis = (await hashes(node, 0))[0];
    await node.stop();
    const another = open({ fresh: true });
    await another.start();
    expect(await hashes(another, 0)).toEqual([genesis]);
  });

  it('goes on with identical block hashes, transactions and receipts after a restart, and ends without leaving a process', async () => {
    const first = open();
    await first.start();
    const pid = first.pid as number;
    await mine(first, 40);
    const before = await hashes(first, 40);
    const receipts = await results(first, 'eth_getBlockReceipts', '0x5');
    await first.stop();
    expect(isAlive(pid)).toBe(false);
    expect((await readdir(dir)).sort()).toEqual(['state.json.gz']);

    const second = open();
    await second.start();
    expect(await hashes(second, 40)).toEqual(before);
    expect(await results(second, 'eth_getBlockReceipts', '0x5')).toEqual(receipts);
    await mine(second, 1);
    expect(await results(second, 'eth_blockNumber')).toEqual(['0x29']);
  });

  it('moves safe 16 and finalized 32 blocks behind the head', async () => {
    const node = open();
    await node.start();
    await mine(node, 40);
    const tags = await node.request(['safe', 'finalized'].map((tag) => ({ method: 'eth_getBlockByNumber', params: [tag, false] })));
    expect(tags.map((tag) => (tag.ok ? Number((tag.result as { number: string }).number) : tag.message))).toEqual([24, 8]);
  });

  it('comes back by itself at the same address with the chain as last saved when anvil is killed', async () => {
    const node = open({ saveEveryMs: 3_600_000 });
    await node.start();
    await mine(node, 12);
    await node.save();
    const saved = await hashes(node, 12);
    await mine(node, 3);
    const { url, pid } = node;
    process.kill(pid as number, 'SIGKILL');
    await until(async () => node.incarnation === 2);
    expect(node.url).toBe(url);
    expect(node.pid).not.toBe(pid);
    expect(await results(node, 'eth_blockNumber')).toEqual(['0xc']);
    expect(await hashes(node, 12)).toEqual(saved);
  });

  it('lets go of old blocks and keeps the newest 512, so that it stays small for ever', async () => {
    const node = open({ saveEveryMs: 50, maxBlocks: 600 });
    await node.start();
    const genesis = (await hashes(node, 0))[0];
    await node.request([{ method: 'anvil_mine', params: ['0x2bc'] }]);
    const before = await hashes(node, 700);
    await until(async () => node.incarnation === 2);
    const after = await hashes(node, 700);
    expect(after[0]).toBe(genesis);
    expect(after.slice(1, 189).every((hash) => hash === undefined)).toBe(true);
    expect(after.slice(189)).toEqual(before.slice(189));
    await mine(node, 1);
    expect(await results(node, 'eth_blockNumber')).toEqual(['0x2bd']);
  });

  it('ends the anvil that an earlier run left behind, and loses none of its blocks', async () => {
    // Its process is gone, so nobody may start it again: what would wait for its end waits for ever.
    const gone = { ...systemClock, sleep: (ms: number, signal?: AbortSignal) => (ms < 3_600_000 ? systemClock.sleep(ms, signal) : new Promise<void>(() => undefined)) };
    const lost = new AnvilEmbeddedNode({ dir, saveEveryMs: 3_600_000 }, quiet, gone);
    await lost.start();
    await mine(lost, 9);
    const before = await hashes(lost, 9);
    const orphan = lost.pid as number;
    const next = open();
    await next.start();
    expect(isAlive(orphan)).toBe(false);
    expect(await hashes(next, 9)).toEqual(before);
  });

  it('is not reached by the Ctrl-C of a terminal, which goes to the whole process group of its parent', async () => {
    if (process.platform !== 'linux') return;
    const node = open();
    await node.start();
    expect(processGroup(node.pid as number)).toBe(node.pid);
    expect(processGroup(node.pid as number)).not.toBe(processGroup(process.pid));
  });

  it('does not touch a stranger who has got the pid of an earlier anvil', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await writeFile(join(dir, 'anvil.pid.json'), JSON.stringify({ pid: stranger.pid, url: 'http://127.0.0.1:1', instance: '0x1' }));
    await open().start();
    expect(isAlive(stranger.pid as number)).toBe(true);
    stranger.kill('SIGKILL');
    await once(stranger, 'exit');
  });

  it('keeps every block when its parent is killed with -9, and no anvil stays once the next run has started', async () => {
    const parent = spawn(process.execPath, ['--conditions=source', '--input-type=module-typescript', '-e', PARENT, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    const { pid, head } = JSON.parse(line) as { pid: number; head: string };
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    const next = open();
    await next.start();
    expect(isAlive(pid)).toBe(false);
    expect((await hashes(next, 7))[7]).toBe(head);
  });

  it('takes the last whole state when the newest file was cut short', async () => {
    const node = open();
    await node.start();
    await mine(node, 5);
    const before = await hashes(node, 5);
    await node.stop();
    await writeFile(join(dir, 'parting.json'), '{"block":{"number":"0x9');
    const next = open();
    await next.start();
    expect(await hashes(next, 5)).toEqual(before);
  });
});

/** A process that starts a node, mines seven blocks that are not saved, and then just stands there. */
const PARENT = `
import { AnvilEmbeddedNode } from ${JSON.stringify(new URL('./anvil.embedded-node.ts', import.meta.url).href)};
import { systemClock } from '#platform/kernel';
const log = { debug() {}, info() {}, warn() {} };
const node = new AnvilEmbeddedNode({ dir: process.argv[1], saveEveryMs: 3600000 }, log, systemClock);
await node.start();
for (let i = 0; i < 7; i++) await node.request([{ method: 'evm_mine', params: [] }]);
const [head] = await node.request([{ method: 'eth_getBlockByNumber', params: ['latest', false] }]);
console.log(JSON.stringify({ pid: node.pid, head: head.result.hash }));
setInterval(() => {}, 1000);
`;

async function mine(node: AnvilEmbeddedNode, blocks: number): Promise<void> {
  const [accounts] = await results(node, 'eth_accounts');
  const [from, to] = accounts as string[];
  for (let block = 0; block < blocks; block++) {
    await node.request([{ method: 'eth_sendTransaction', params: [{ from: from as string, to: to as string, value: '0x1' }] }]);
    await node.request([{ method: 'evm_mine', params: [] }]);
  }
}

async function results(node: AnvilEmbeddedNode, method: string, ...params: string[]): Promise<unknown[]> {
  return (await node.request([{ method, params }])).map((outcome) => (outcome.ok ? outcome.result : outcome.message));
}

async function hashes(node: AnvilEmbeddedNode, upTo: number): Promise<(string | undefined)[]> {
  const calls = Array.from({ length: upTo + 1 }, (_unused, number) => ({ method: 'eth_getBlockByNumber', params: [`0x${number.toString(16)}`, false] }));
  return (await node.request(calls)).map((outcome) => (outcome.ok ? (outcome.result as { hash: string } | null)?.hash : undefined));
}

async function until(happened: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await happened()) return;
    await delay(50);
  }
  throw new Error('it did not happen within ten seconds');
}

function processGroup(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
}
