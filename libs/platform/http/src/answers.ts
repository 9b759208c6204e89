import { HttpCode, SetMetadata, applyDecorators } from '@nestjs/common';
import type { z } from 'zod';

export interface AnswerDoc {
  /** One line of the documentation page. */
  readonly summary: string;
  readonly description?: string;
  /** 200 when left out. */
  readonly status?: number;
  readonly schema: z.ZodType;
  /** application/json when left out. Another one is a stream, whose parts have the schema; it has no version. */
  readonly mediaType?: 'application/x-ndjson' | 'text/event-stream';
  /** Fields that change by themselves as time goes on; no part of the version that ETag names. */
  readonly volatile?: readonly string[];
  /** Ways in which this one may be refused, beyond those of every route. */
  readonly refusals?: { readonly [status: number]: string };
}

export const ANSWERS = Symbol('answers');

/** Says what a handler answers: for the OpenAPI document, the status, and the ETag of a read. */
export function Answers(doc: AnswerDoc): MethodDecorator {
  return applyDecorators(SetMetadata(ANSWERS, doc), HttpCode(doc.status ?? 200));
}

export function answerDocOf(handler: object): AnswerDoc | undefined {
  return Reflect.getMetadata(ANSWERS, handler) as AnswerDoc | undefined;
}
