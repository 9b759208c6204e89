import { createHash, timingSafeEqual } from 'node:crypto';
import type { PipeTransform } from '@nestjs/common';
import type { Secret } from '#platform/settings';
import type { z } from 'zod';
import { MessageInvalid, WorkerTokenWrong } from './workers.errors.ts';

/** What `data` of every message is. */
export interface MessageData {
  readonly token?: unknown;
  readonly body?: unknown;
  readonly attachments: readonly Uint8Array<ArrayBuffer>[];
}

/** `@Payload(new MessageBody(schema))`: the body as the schema reads it. Throws `worker-message-invalid`, never with what arrived. */
export class MessageBody<S extends z.ZodType> implements PipeTransform<MessageData, z.output<S>> {
  readonly #schema: S;

  constructor(schema: S) {
    this.#schema = schema;
  }

  transform(data: MessageData): z.output<S> {
    return bodyOf(this.#schema, data.body);
  }
}

export function bodyOf<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new MessageInvalid(issue?.path.map(String).join('.').slice(0, 100) ?? '', issue?.code ?? 'invalid');
}

/** The time it takes says nothing about the token. */
export function checkToken(wanted: Secret | undefined, given: unknown): void {
  if (wanted === undefined) return;
  if (given === undefined) throw new WorkerTokenWrong('none');
  if (typeof given !== 'string' || !timingSafeEqual(digestOf(given), digestOf(wanted.reveal()))) throw new WorkerTokenWrong('another');
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
