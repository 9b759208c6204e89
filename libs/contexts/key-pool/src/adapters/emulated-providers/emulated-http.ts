import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EmulatedProvider } from './emulated-provider.ts';
import type { Reply } from './emulated-reply.ts';
import type { UpstreamNode } from './upstream-node.ts';

/** Nobody sends so much; what is larger is not even read. */
const MOST_BYTES = 16_000_000;

/** One request of JSON-RPC over HTTP; resolves with what was said. */
export async function serveHttp(request: IncomingMessage, response: ServerResponse, provider: EmulatedProvider, key: string, upstream: UpstreamNode): Promise<Reply> {
  const bytes = await readBody(request);
  const reply = await provider.handle(provider.aliasOf(key), 'http', bytes, (forward) => upstream.ask(forward));
  if (reply.kind === 'cut') response.destroy();
  if (reply.kind === 'says') respond(response, reply.status, reply.headers, reply.bytes);
  return reply;
}

/** Of what a node or a person behind a browser sends. Throws beyond 16 MB. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error('the request is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function respond(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>, bytes: Buffer): void {
  response.writeHead(status, { ...headers, 'content-length': bytes.length });
  response.end(bytes);
}
