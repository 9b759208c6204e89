import type { Brand } from './brand.ts';
import { ChainfoldError } from './errors.ts';

/** `category-id`. The first hyphen ends the category, as EventStoreDB's by-category projection has it. */
export type StreamName = Brand<string, 'StreamName'>;

const CATEGORY = /^[a-z][a-z0-9]*$/;
const STREAM = /^[a-z][a-z0-9]*-[a-z0-9][a-z0-9._:-]*$/;
const MAX_LENGTH = 200;

/** Throws `invalid-stream-name` unless the category has no hyphen and the id is lower case, 200 characters at most in all. */
export function streamName(category: string, id: string): StreamName {
  if (!CATEGORY.test(category)) throw new InvalidStreamName(`${category}-${id}`);
  return parseStreamName(`${category}-${id}`);
}

/** Reads a name that came from outside. Throws `invalid-stream-name`. */
export function parseStreamName(text: string): StreamName {
  if (text.length > MAX_LENGTH || !STREAM.test(text)) throw new InvalidStreamName(text);
  return text as StreamName;
}

export function categoryOf(stream: StreamName): string {
  return stream.slice(0, stream.indexOf('-'));
}

export function idOf(stream: StreamName): string {
  return stream.slice(stream.indexOf('-') + 1);
}

export class InvalidStreamName extends ChainfoldError {
  constructor(text: string) {
    super('That is not the name of a stream', {
      code: 'invalid-stream-name',
      kind: 'invalid',
      facts: { stream: text.slice(0, MAX_LENGTH) },
      hint: `A stream is category-id in lower case, at most ${MAX_LENGTH} characters, like chain-1.`,
    });
  }
}
