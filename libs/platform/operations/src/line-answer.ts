import type { FastifyReply } from 'fastify';

/**
 * Answers one JSON value per line as they come (application/x-ndjson), no faster than the client takes them. When the
 * client leaves, the source is told to end. A source that fails cuts the line, so a reader misses the last value.
 */
export async function answerLines(reply: FastifyReply, values: AsyncIterable<object>): Promise<void> {
  const response = reply.raw;
  reply.hijack();
  response.writeHead(200, { 'content-type': 'application/x-ndjson; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
  try {
    for await (const value of values) {
      if (response.destroyed) return;
      if (response.write(`${JSON.stringify(value)}\n`)) continue;
      await new Promise<void>((resume) => {
        const go = (): void => {
          response.off('drain', go).off('close', go);
          resume();
        };
        response.on('drain', go).on('close', go);
      });
    }
    response.end();
  } catch (error) {
    response.destroy();
    throw error;
  }
}
