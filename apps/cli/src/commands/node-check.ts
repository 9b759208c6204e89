import WebSocket from 'ws';
import type { Finding } from './finding.ts';

const WITHIN_MS = 10_000;
/** A clock that is off by more makes ages and lags on the page lie. */
const SKEW_MS = 5_000;
const OLD_HEAD_MS = 3_600_000;

/** Is the node there, which chain is it, how fast does it answer, and does its time fit ours? */
export async function askNode({ label, url }: { readonly label: string; readonly url: string }): Promise<Finding[]> {
  const what = `provider ${label}`;
  try {
    const from = performance.now();
    const [chainId, head] = await callNode(url, [['eth_chainId', []], ['eth_getBlockByNumber', ['latest', false]]]);
    const tookMs = Math.round(performance.now() - from);
    const { number, timestamp } = head as { number: string; timestamp: string };
    const detail = `chain ${BigInt(chainId as string)}, head ${Number(number)}, answered in ${tookMs} ms`;
    return [{ what, state: 'ok', detail }, clock(what, Number(timestamp) * 1_000)];
  } catch {
    // The reason may hold the address with its key, so only what it means is told.
    return [{ what, state: 'wrong', detail: 'can not be reached or does not speak JSON-RPC: check the address, the key and the network' }];
  }
}

function clock(what: string, headAt: number): Finding {
  const ageMs = Date.now() - headAt;
  const age = `head is ${Math.round(ageMs / 1_000)} s old`;
  if (ageMs < -SKEW_MS) return { what: `clock, by ${what}`, state: 'wrong', detail: `the newest block is ${Math.round(-ageMs / 1_000)} s in the future: set the clock of this machine (NTP)` };
  if (ageMs > OLD_HEAD_MS) return { what: `clock, by ${what}`, state: 'warning', detail: `${age}: the node makes no blocks, or the clock of this machine is ahead` };
  return { what: `clock, by ${what}`, state: 'ok', detail: age };
}

type Call = readonly [method: string, params: readonly unknown[]];

/** Results in the order asked. Throws when one is missing; what is thrown may hold the address, so show none of it. */
export async function callNode(url: string, calls: readonly Call[]): Promise<unknown[]> {
  const bodies = calls.map(([method, params], id) => JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  const answers = url.startsWith('ws') ? await overSocket(url, bodies) : await Promise.all(bodies.map((body) => overHttp(url, body)));
  return answers.map((answer) => {
    if (answer.result === undefined || answer.result === null) throw new Error('no result');
    return answer.result;
  });
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
}

async function overHttp(address: string, body: string): Promise<Answer> {
  const url = new URL(address);
  const { username, password } = url;
  // fetch takes no user name in an address.
  url.username = url.password = '';
  const access = username === '' ? {} : { authorization: `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}` };
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...access }, body, signal: AbortSignal.timeout(WITHIN_MS) });
  return (await answer.json()) as Answer;
}

function overSocket(url: string, bodies: readonly string[]): Promise<Answer[]> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { handshakeTimeout: WITHIN_MS });
    const answers: Answer[] = [];
    const late = setTimeout(() => {
      socket.terminate();
      reject(new Error('late'));
    }, WITHIN_MS);
    socket.on('open', () => bodies.forEach((body) => socket.send(body)));
    socket.on('error', reject);
    socket.on('message', (data: Buffer) => {
      answers.push(JSON.parse(data.toString()) as Answer);
      if (answers.length < bodies.length) return;
      clearTimeout(late);
      socket.close();
      resolve(answers.sort((a, b) => a.id - b.id));
    });
  });
}
