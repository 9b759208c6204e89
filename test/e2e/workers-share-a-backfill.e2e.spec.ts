import { rmSync } from 'node:fs';
import { AnvilProcess, freePort } from './stage/anvil-process.ts';
import { chainfold, ChainfoldProcess, eventually, temporaryDirectory } from './stage/chainfold-process.ts';
import { HangingNode } from './stage/hanging-node.ts';
import { expectGaplessStreams, expectSameAsNode, followed } from './stage/same-as-node.ts';

const BLOCKS = 1_200;
const ANSWER_MS = 250;
const TOKEN = 'a-token-of-workers-of-a-test';

/** A chain with a transaction in every block, behind a node that answers slowly; an owner; and its workers. */
class Stage {
  readonly dataDir = temporaryDirectory('workers');
  readonly workers: ChainfoldProcess[] = [];
  owner!: ChainfoldProcess;
  #node!: AnvilProcess;
  #slow!: HangingNode;
  #port!: number;

  get env(): Record<string, string> {
    return { RPC_URL: this.#slow.url, WORKERS_TOKEN: TOKEN };
  }

  async open(): Promise<void> {
    this.#node = await AnvilProcess.start();
    this.#slow = await HangingNode.start(this.#node.url);
    this.#port = await freePort();
    const [from, to] = await this.#node.rpc<[string, string]>('eth_accounts');
    for (let block = 0; block < BLOCKS; block += 1) {
      if (block % 3 === 0) await this.#node.rpc('eth_sendTransaction', [{ from, to, value: '0x1', gas: '0x5208' }]);
      await this.#node.rpc('evm_mine');
    }
  }

  async startOwner(): Promise<void> {
    this.owner = await ChainfoldProcess.start({ ...this.env, DATA_DIR: this.dataDir, WORKERS_PORT: String(this.#port) });
    await followed(this.owner, this.#node);
  }

  async startWorker(env: Record<string, string> = {}): Promise<ChainfoldProcess> {
    const worker = await ChainfoldProcess.start({ ...this.env, OWNER: `127.0.0.1:${this.#port}`, ...env }, 'start:worker');
    this.workers.push(worker);
    return worker;
  }

  async startWorkers(count: number): Promise<readonly ChainfoldProcess[]> {
    await Promise.all(Array.from({ length: count }, () => this.startWorker()));
    await eventually(async () => expect(await this.owner.metric('chainfold_chain_workers')).toBe(count));
    return this.workers;
  }

  /** Answers where it is told. */
  async backfill(): Promise<string> {
    this.#slow.slow(ANSWER_MS);
    const asked = await this.owner.post('/chains/31337/backfills', { from: 0, to: BLOCKS - 1 });
    expect(asked.status).toBe(202);
    return asked.headers.get('location') as string;
  }

  async finished(backfill: string): Promise<void> {
    await eventually(async () => expect(await this.owner.get(backfill)).toMatchObject({ state: 'finished', done: BLOCKS }), 120_000);
  }

  /** Nothing is missing, nothing is there twice, and everything recomputes. */
  async expectWhole(): Promise<void> {
    await eventually(async () => expect((await this.owner.api('/chains/31337')).blocks).toBe(BLOCKS + 1));
    await expectGaplessStreams(this.owner);
    await expectSameAsNode(this.owner, this.#node);
    expect(await chainfold(['verify', '--json'], { ...this.env, DATA_DIR: this.dataDir })).toMatchObject({ code: 0 });
  }

  readByWorkers(): Promise<number> {
    return this.owner.metric('chainfold_chain_read_blocks_total', 'worker');
  }

  async close(): Promise<void> {
    for (const one of [...this.workers, this.owner]) await one.kill();
    await this.#slow.stop();
    await this.#node.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

const isReading = (worker: ChainfoldProcess): Promise<void> => eventually(async () => expect(await worker.metric('chainfold_chain_reading_jobs')).toBeGreaterThan(0));

describe('worker processes that read a backfill for the owner of the log', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = new Stage();
    await stage.open();
    await stage.startOwner();
  });
  afterEach(() => stage.close());

  it('share it, and what one of them held when it was killed is read by another', async () => {
    const [killed, other] = await stage.startWorkers(2);
    const backfill = await stage.backfill();
    await isReading(other as ChainfoldProcess);
    await isReading(killed as ChainfoldProcess);
    await killed?.kill();
    await stage.finished(backfill);
    expect(await stage.readByWorkers()).toBeGreaterThan(0);
    expect(stage.owner.stdout).toContain('its worker left');
    await stage.expectWhole();
  });

  it('bear one of them that stands still and comes back: each block is there once', async () => {
    const [still] = await stage.startWorkers(2);
    const backfill = await stage.backfill();
    await isReading(still as ChainfoldProcess);
    still?.child.kill('SIGSTOP');
    await eventually(async () => expect(stage.owner.stdout).toContain('its worker is silent'), 60_000);
    still?.child.kill('SIGCONT');
    await stage.finished(backfill);
    await stage.expectWhole();
    await eventually(async () => expect(await stage.owner.metric('chainfold_chain_workers')).toBe(2));
  });

  it('come back to an owner that was killed and started again', async () => {
    await stage.startWorkers(2);
    const backfill = await stage.backfill();
    await Promise.all(stage.workers.map(isReading));
    await stage.owner.kill();
    await stage.startOwner();
    await stage.finished(backfill);
    expect(await stage.readByWorkers()).toBeGreaterThan(0);
    await stage.expectWhole();
  });

  it('are refused with another token or other settings, and the owner does the work alone', async () => {
    const stranger = await stage.startWorker({ WORKERS_TOKEN: 'another-token-of-workers-of-a-test' });
    const different = await stage.startWorker({ RPC_URL: `${stage.env['RPC_URL']},${stage.env['RPC_URL']}` });
    await eventually(async () => expect(stranger.stdout).toContain('worker-token-wrong'));
    await eventually(async () => expect(different.stdout).toContain('worker-settings-differ'));
    expect(different.stdout).toContain('chains/rpc-url');
    await stage.finished(await stage.backfill());
    expect(await stage.readByWorkers()).toBe(0);
    await stage.expectWhole();
    for (const one of [stranger, different, stage.owner]) expect(`${one.stdout}${one.stderr}`).not.toMatch(/token-of-workers/);
  });
});
