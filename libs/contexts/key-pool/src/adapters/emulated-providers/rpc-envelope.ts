import type { RpcError } from './refusal-bodies.ts';

export interface EnvelopeCall {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
  /** As it came. */
  readonly raw: unknown;
}

export interface Envelope {
  readonly bytes: Buffer;
  readonly batch: boolean;
  readonly calls: readonly EnvelopeCall[];
}

/** Undefined: no JSON-RPC, or an empty batch. */
export function readEnvelope(bytes: Buffer): Envelope | undefined {
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
  const batch = Array.isArray(body);
  const items: readonly unknown[] = Array.isArray(body) ? body : [body];
  const calls = items.map(readCall).filter((call) => call !== undefined);
  return calls.length === 0 || calls.length < items.length ? undefined : { bytes, batch, calls };
}

function readCall(raw: unknown): EnvelopeCall | undefined {
  if (typeof raw !== 'object' || raw === null || !('method' in raw) || typeof raw.method !== 'string') return undefined;
  const params: readonly unknown[] = 'params' in raw && Array.isArray(raw.params) ? raw.params : [];
  return { id: 'id' in raw ? raw.id : null, method: raw.method, params, raw };
}

export function errorItem(id: unknown, error: RpcError): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error });
}

export function nullItem(id: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result: null });
}

/** The request for those calls alone that go on. */
export function envelopeOf({ bytes, batch, calls }: Envelope, goOn: (at: number) => boolean): Buffer {
  const left = calls.filter((_, at) => goOn(at));
  return left.length === calls.length ? bytes : Buffer.from(JSON.stringify(batch ? left.map(({ raw }) => raw) : left[0]?.raw));
}

/** Puts items into the answer to a batch without reading what it holds. An answer that is no array stays alone. */
export function withItems(answer: Buffer, items: readonly string[]): Buffer {
  if (items.length === 0) return answer;
  const opened = answer.indexOf(OPEN);
  const closed = answer.lastIndexOf(CLOSE);
  if (opened === -1 || answer.subarray(0, opened).toString().trim() !== '' || closed < opened) return answer;
  const empty = answer.subarray(opened + 1, closed).toString('latin1', 0, Math.min(16, closed - opened - 1)).trim() === '';
  return Buffer.concat([answer.subarray(0, closed), Buffer.from(`${empty ? '' : ','}${items.join(',')}]`)]);
}

const OPEN = '['.codePointAt(0) as number;
const CLOSE = ']'.codePointAt(0) as number;
