import type { Told } from '#platform/actors';
import { ChainfoldError, type JsonObject, type JsonValue } from '#platform/kernel';

/**
 * A repeat gets the first answer, so it must be the same command: otherwise the answer speaks of something that was
 * never recorded. What the key stands for is in the events that it wrote.
 */
export function ofThisCommand(answer: Told, key: string | undefined, type: string, data: JsonObject): Told {
  if (!answer.repeated || key === undefined) return answer;
  const same = answer.events.some((event) => event.type === type && Object.entries(data).every(([name, value]) => event.data[name] === value));
  if (same || answer.events.length === 0) return answer;
  const [first] = answer.events;
  throw new IdempotencyKeyReused(key, first === undefined ? null : { type: first.type, ...first.data });
}

class IdempotencyKeyReused extends ChainfoldError {
  constructor(key: string, first: JsonValue) {
    super('That idempotency key stands for another command, which was carried out before', {
      code: 'idempotency-key-reused',
      kind: 'conflict',
      facts: { key, first },
      hint: 'Nothing was done. Send this command with a new key; a key is for repeats of the very same command.',
    });
  }
}
