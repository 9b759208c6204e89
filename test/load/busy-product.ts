import { Agent, get } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { ChainfoldProcess } from '../e2e/stage/chainfold-process.ts';

export type Answer = Readonly<Record<string, unknown>>;

export interface HeardEvent {
  readonly type: string;
  readonly position: string;
  readonly recordedAt: string;
  readonly data: Answer;
  /** Milliseconds since 1970 and parts of them, when the last byte of it was here. */
  readonly heardAt: number;
}

/** The built program, asked so lightly that asking takes little of the two cores. PROFILE=folder keeps CPU profiles. */
export class BusyProduct {
  readonly #process: ChainfoldProcess;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  private constructor(process: ChainfoldProcess) {
    this.#process = process;
  }

  static async start(dataDir: string, rpcUrl: string, more: Readonly<Record<string, string>> = {}): Promise<BusyProduct> {
    const folder = process.env['PROFILE'];
    const profile = folder === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${folder}` };
    return new BusyProduct(await ChainfoldProcess.start({ DATA_DIR: dataDir, RPC_URL: rpcUrl, LOG_LEVEL: 'info', ...profile, ...more }));
  }

  get pid(): number {
    return this.#process.child.pid as number;
  }

  async post(path: string, body: object): Promise<Answer> {
    const answer = await this.#process.post(path, body);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  }

  get(path: string): Promise<Answer> {
    return this.#ask(`/api/v1${path}`).then((text) => JSON.parse(text) as Answer);
  }

  metrics(): Promise<string> {
    return this.#ask('/metrics');
  }

  /** Of the whole process, in megabytes. */
  async residentMb(): Promise<number> {
    return metric(await this.metrics(), 'process_resident_memory_bytes') / 1e6;
  }

  async until(path: string, isSo: (answer: Answer) => boolean, everyMs = 100): Promise<Answer> {
    for (;;) {
      const answer = await this.get(path).catch((): Answer | undefined => undefined);
      if (answer !== undefined && isSo(answer)) return answer;
      if (this.#process.child.exitCode !== null) throw new Error(`the product ended: ${this.#process.stderr}`);
      await wait(everyMs);
    }
  }

  async following(chainId: string): Promise<void> {
    await this.until(`/chains/${chainId}`, ({ head, status }) => head !== null && status === 'following');
  }

  /** The live line of the log. */
  listen(types: string): { next(): Promise<HeardEvent>; stop(): void } {
    const events: HeardEvent[] = [];
    let wake = (): void => undefined;
    let text = '';
    const request = get(`${this.#process.url}/api/v1/events/live?types=${types}`, (answer) => {
      answer.setEncoding('utf8').on('data', (piece: string) => {
        const heardAt = performance.timeOrigin + performance.now();
        text += piece;
        const whole = text.split('\n\n');
        text = whole.pop() ?? '';
        for (const one of whole) {
          const data = /^data: (\{.*\})$/m.exec(one)?.[1];
          if (data?.includes('"type"') === true) events.push({ ...(JSON.parse(data) as HeardEvent), heardAt });
        }
        wake();
      });
      answer.on('error', () => undefined);
    });
    request.on('error', () => undefined);
    const next = async (): Promise<HeardEvent> => {
      while (events.length === 0) await new Promise<void>((resume) => (wake = resume));
      return events.shift() as HeardEvent;
    };
    return { next, stop: () => void request.destroy() };
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    await this.#process.interrupt();
  }

  async kill(): Promise<void> {
    this.#agent.destroy();
    await this.#process.kill();
  }

  #ask(path: string): Promise<string> {
    return new Promise((done, failed) => {
      const request = get(`${this.#process.url}${path}`, { agent: this.#agent }, (answer) => {
        const pieces: Buffer[] = [];
        answer.on('data', (piece: Buffer) => pieces.push(piece));
        answer.on('error', failed);
        answer.on('end', () => {
          const text = Buffer.concat(pieces).toString();
          if (answer.statusCode === 200) done(text);
          else failed(new Error(`${path}: ${answer.statusCode} ${text}`));
        });
      });
      request.on('error', failed);
    });
  }
}

/** The sum over all its labels. */
export function metric(metrics: string, name: string): number {
  return [...metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'gm'))].reduce((sum, [, value]) => sum + Number(value), 0);
}
