import type { FastifyReply } from 'fastify';
import { problemOf } from '#platform/http';
import type { JsonObject } from '#platform/kernel';

/** The last line of an answer that could not be given to its end: the status was said before anybody knew. */
interface FailedLine {
  readonly kind: 'failed';
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly hint?: string;
  readonly facts?: JsonObject;
}

/**
 * Answers one JSON value per line as they come (application/x-ndjson), no faster than the client takes them. When the
 * client leaves, the source is told to end. When the source fails, the last line says of what, and the caller gets the error.
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
    response.end(`${JSON.stringify(failedLine(error))}\n`);
    throw error;
  }
}

function failedLine(error: unknown): FailedLine {
  const { code, detail, retryable, hint, facts } = problemOf(error, '').problem;
  return { kind: 'failed', code, message: detail, retryable, ...(hint === undefined ? {} : { hint }), ...(facts === undefined ? {} : { facts }) };
}
