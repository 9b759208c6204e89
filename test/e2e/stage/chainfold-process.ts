import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<Program | 'cli', string> };
/** What `npm start` and `npm run cli` give to node: flags and the program. */
const argumentsOf = (script: keyof typeof scripts): string[] => scripts[script].split(' ').slice(1);

/** What owns a data directory, or reads for one that does. */
type Program = 'start' | 'start:worker';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built program as a user runs it, on a free port and a directory of its own. */
export class ChainfoldProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  url = '';
  stdout = '';
  stderr = '';

  private constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((done) => {
      child.once('exit', (code) => setImmediate(() => done({ code, stdout: this.stdout, stderr: this.stderr })));
    });
  }

  static launch(env: Record<string, string>, program: Program = 'start'): ChainfoldProcess {
    const child = spawn(process.execPath, argumentsOf(program), {
      cwd: root,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PORT: '0', LOG_FORMAT: 'json', ...env },
    });
    return new ChainfoldProcess(child);
  }

  /** Resolves when the program says where it listens. */
  static async start(env: Record<string, string>, program: Program = 'start'): Promise<ChainfoldProcess> {
    const started = ChainfoldProcess.launch(env, program);
    const address = /ready at (http:\/\/127\.0\.0\.1:\d+)/;
    const listening = eventually(async () => {
      const found = address.exec(started.stdout)?.[1];
      if (found === undefined) throw new Error(`not listening yet\n${started.stdout}\n${started.stderr}`);
      started.url = found;
    }, 60_000);
    const died = started.ended.then((end) => {
      throw new Error(`ended with ${end.code} before it listened\n${end.stdout}\n${end.stderr}`);
    });
    await Promise.race([listening, died]);
    died.catch(() => undefined);
    return started;
  }

  async get<T = any>(path: string): Promise<T> {
    const answer = await fetch(`${this.url}${path}`);
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  api<T = any>(path: string): Promise<T> {
    return this.get(`/api/v1${path}`);
  }

  /** Sum of a metric, of all labels or of those that hold `labels`; 0 where it is not told. */
  async metric(name: string, labels = ''): Promise<number> {
    const lines = (await (await fetch(`${this.url}/metrics`)).text()).split('\n');
    const values = lines.filter((line) => line.startsWith(name) && /[ {]/.test(line.charAt(name.length)) && line.includes(labels)).map((line) => Number(line.slice(line.lastIndexOf(' '))));
    return values.reduce((sum, value) => sum + value, 0);
  }

  /** Every item of a list, page by page. */
  async all<T = any>(path: string): Promise<T[]> {
    const items: T[] = [];
    let after: string | null = null;
    do {
      const joint = path.includes('?') ? '&' : '?';
      const page: { items: T[]; next: string | null } = await this.api(
        `${path}${joint}limit=500${after === null ? '' : `&after=${encodeURIComponent(after)}`}`,
      );
      items.push(...page.items);
      after = page.next;
    } while (after !== null);
    return items;
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}/api/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }

  /** As Ctrl-C does. */
  interrupt(): Promise<Ended> {
    this.child.kill('SIGINT');
    return this.ended;
  }

  kill(): Promise<Ended> {
    this.child.kill('SIGKILL');
    return this.ended;
  }
}

/** Runs one command of the command line to its end. */
export function chainfold(args: readonly string[], env: Record<string, string>): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [...argumentsOf('cli'), ...args], {
      cwd: root,
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('exit', (code) => setImmediate(() => done({ code, stdout, stderr })));
  });
}

export function temporaryDirectory(name: string): string {
  return mkdtempSync(join(tmpdir(), `chainfold-${name}-`));
}

/** Asks again until `probe` no longer throws; then rethrows what it said last. */
export async function eventually<T>(probe: () => Promise<T>, withinMs = 30_000): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resume) => setTimeout(resume, 50));
    }
  }
}
