import type { RefusalBody } from './refusal-bodies.ts';
import type { Envelope } from './rpc-envelope.ts';
import { errorItem } from './rpc-envelope.ts';

export type Wire = 'http' | 'ws';

export interface Says {
  readonly kind: 'says';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  /** Every open WebSocket of the account is closed after it. */
  readonly severs: boolean;
}

export type Reply =
  | Says
  /** Nothing, ever. */
  | { readonly kind: 'silent' }
  /** The connection ends. */
  | { readonly kind: 'cut' };

export function says(status: number, answer: Buffer | string): Says {
  const bytes = typeof answer === 'string' ? Buffer.from(answer) : answer;
  return { kind: 'says', status, headers: { 'content-type': 'application/json' }, bytes, severs: false };
}

/** HTTP carries one error object, with the id of the first call; over a WebSocket a batch is answered item by item. */
export function refuses({ status, headers = {}, body }: RefusalBody, over: Wire, envelope: Envelope | undefined, severs = false): Says {
  if (typeof body === 'string') return { ...says(status, body), headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, severs };
  const items = (envelope?.calls ?? [{ id: null }]).map(({ id }) => errorItem(id, body));
  const answer = says(status, over === 'ws' && envelope?.batch === true ? `[${items.join(',')}]` : (items[0] ?? ''));
  return { ...answer, headers: { ...answer.headers, ...headers }, severs };
}

/** With the clock of who says it. */
export function dated(reply: Reply, wall: number): Reply {
  return reply.kind === 'says' ? { ...reply, headers: { ...reply.headers, date: new Date(wall).toUTCString() } } : reply;
}
