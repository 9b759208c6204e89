import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DecoratorHandler, Pool } from 'undici';
import type { Dispatcher } from 'undici';
import { NodeAnswerInvalid, NodeUnreachable } from '../ports/chain-node.errors.ts';
import { decode, labelOf, redact, redactedStart } from './chain-node-labels.ts';
import { parseAnswer } from './chain-node-parsing.ts';
import { readRefusal } from './chain-node-refusals.ts';
import type { RpcCall, RpcReply, RpcTransport, TransportLimits } from './chain-node-transport.ts';
import { DEFAULT_LIMITS, encodeCalls, HeldBack, readReply } from './chain-node-transport.ts';

const unzip = promisify(gunzip);

/** JSON-RPC over HTTP with kept connections. There is no push: `heads` stays silent. */
export class HttpTransport implements RpcTransport {
  readonly url: string;
  readonly label: string;
  readonly pushes = false;
  readonly #limits: TransportLimits;
  readonly #pool: Pool;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;
  #nextId = 1;

  constructor(url: string, limits: Partial<TransportLimits> = {}, label = labelOf(url)) {
    const address = new URL(url);
    this.url = url;
    this.label = label;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#path = `${address.pathname}${address.search}`;
    this.#headers = headersFor(address);
    this.#pool = new Pool(address.origin, {
      connections: 8,
      pipelining: 1,
      keepAliveTimeout: 60_000,
      headersTimeout: this.#limits.requestTimeoutMs,
      bodyTimeout: this.#limits.requestTimeoutMs,
      maxResponseSize: this.#limits.maxAnswerBytes,
      connect: { timeout: this.#limits.connectTimeoutMs },
    });
  }

  async send(calls: readonly RpcCall[], signal?: AbortSignal, writing?: () => void): Promise<RpcReply> {
    const firstId = this.#nextId;
    this.#nextId += calls.length;
    const { status, headers, raw } = await this.#post(encodeCalls(calls, firstId), calls.length > 2 ? this.#limits.maxBatchBytes : this.#limits.maxAnswerBytes, signal, writing);
    const bytes = raw.length;
    const retryAfter = headers['retry-after'];
    const body = await parseAnswer(raw);
    if (status !== 200) {
      const refusal = readRefusal(body ?? raw.toString('utf8', 0, 1_000), status, typeof retryAfter === 'string' ? retryAfter : undefined);
      return { kind: 'refused', refusal, bytes, providerTime: timeOf(headers['date']) };
    }
    if (body === undefined) throw new NodeAnswerInvalid(this.label, 'not JSON, or cut off', { begins: redactedStart(raw.toString('utf8', 0, 2_000), this.url, 80), bytes });
    return { ...readReply(body, calls, firstId, this.label, bytes), providerTime: timeOf(headers['date']) };
  }

  async *heads(signal: AbortSignal): AsyncIterable<unknown> {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    yield* [];
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #post(body: string, limit: number, signal: AbortSignal | undefined, writing: (() => void) | undefined): Promise<Posted> {
    const dispatcher = writing === undefined ? this.#pool : this.#pool.compose((dispatch) => (options, handler) => dispatch(options, toldOfWriting(handler, writing)));
    const timeout = AbortSignal.timeout(this.#limits.requestTimeoutMs);
    try {
      const answer = await dispatcher.request({
        path: this.#path,
        method: 'POST',
        headers: this.#headers,
        body,
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
      const raw = await bytesUpTo(answer.body, limit, Number(answer.headers['content-length']));
      const plain = answer.headers['content-encoding'] === 'gzip' ? await unzip(raw, { maxOutputLength: limit }) : raw;
      return { status: answer.statusCode, headers: answer.headers, raw: plain };
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (error instanceof HeldBack) throw error;
      throw this.#failure(error, timeout.aborted, limit);
    }
  }

  #failure(error: unknown, timedOut: boolean, limitBytes: number): Error {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (error instanceof AnswerTooLarge || code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE' || code === 'ERR_BUFFER_TOO_LARGE') {
      return new NodeAnswerInvalid(this.label, 'too large', { limitBytes });
    }
    if (timedOut) return new NodeUnreachable(this.label, `no answer in ${this.#limits.requestTimeoutMs} ms`);
    return new NodeUnreachable(this.label, redact(error instanceof Error ? `${code} ${error.message}`.trim() : String(error), this.url));
  }
}

function timeOf(date: string | string[] | undefined): number | undefined {
  const at = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** A pool holds a request back while it connects, and while all its connections are taken. */
function toldOfWriting(handler: Dispatcher.DispatchHandler, writing: () => void): Dispatcher.DispatchHandler {
  const inner: Dispatcher.DispatchHandler = new DecoratorHandler(handler);
  return {
    onRequestStart: (...start) => {
      writing();
      inner.onRequestStart?.(...start);
    },
    onResponseStart: (...start) => inner.onResponseStart?.(...start),
    onResponseData: (...data) => inner.onResponseData?.(...data),
    onResponseEnd: (...end) => inner.onResponseEnd?.(...end),
    onResponseError: (...error) => inner.onResponseError?.(...error),
  };
}

class AnswerTooLarge extends Error {}

/** Leaving early closes the connection, so the rest is not even sent. An announced length is only where the bytes are put. */
async function bytesUpTo(body: AsyncIterable<Buffer>, limit: number, announced: number): Promise<Buffer> {
  if (announced > limit) throw new AnswerTooLarge();
  let bytes = Buffer.allocUnsafeSlow(announced > 0 ? announced : FIRST_ROOM);
  let size = 0;
  for await (const chunk of body) {
    if (size + chunk.length > limit) throw new AnswerTooLarge();
    if (size + chunk.length > bytes.length) bytes = Buffer.concat([bytes.subarray(0, size)], Math.max(2 * bytes.length, size + chunk.length));
    size += chunk.copy(bytes, size);
  }
  return bytes.subarray(0, size);
}

const FIRST_ROOM = 65_536;

interface Posted {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly raw: Buffer;
}

/** Compression costs more than it saves on a local wire. */
function headersFor(address: URL): Record<string, string> {
  const local = /^(?:localhost|127\..*|\[::1\])$/.test(address.hostname);
  const user = decode(address.username);
  const basic = Buffer.from(`${user}:${decode(address.password)}`).toString('base64');
  return {
    'content-type': 'application/json',
    ...(local ? {} : { 'accept-encoding': 'gzip' }),
    ...(address.username === '' ? {} : { authorization: `Basic ${basic}` }),
  };
}
