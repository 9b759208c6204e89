import { ChainfoldError } from '#platform/kernel';

/**
 * One message of the wire: JSON, and bytes that would only grow in it (a third as base64).
 *
 *     "cfw1" | u32 bytes of JSON | u32 bytes of attachments | JSON: [packet, [length of each attachment]] | attachments
 */
export interface Frame {
  readonly packet: unknown;
  readonly attachments: readonly Uint8Array<ArrayBuffer>[];
}

export interface FrameLimits {
  readonly json: number;
  readonly attachments: number;
}

const MAGIC = 0x63_66_77_31;
const HEAD_BYTES = 12;

export function writeFrame(packet: unknown, attachments: readonly Uint8Array[] = []): Buffer[] {
  const json = Buffer.from(JSON.stringify([packet, attachments.map(({ length }) => length)]));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(MAGIC, 0);
  head.writeUInt32BE(json.length, 4);
  head.writeUInt32BE(attachments.reduce((sum, { length }) => sum + length, 0), 8);
  return [head, json, ...attachments.map((one) => Buffer.from(one.buffer, one.byteOffset, one.length))];
}

/** Puts frames together from what arrives. Holds no more than one of them at most; throws FrameInvalid, and is of no use then. */
export class FrameReader {
  readonly #limits: () => FrameLimits;
  #pieces: Buffer[] = [];
  #held = 0;
  #head: FrameLimits | undefined;

  constructor(limits: () => FrameLimits) {
    this.#limits = limits;
  }

  /** Part of a frame is here. */
  get waits(): boolean {
    return this.#held > 0 || this.#head !== undefined;
  }

  *read(bytes: Buffer): Generator<Frame> {
    this.#pieces.push(bytes);
    this.#held += bytes.length;
    for (;;) {
      if (this.#head === undefined) {
        if (this.#held < HEAD_BYTES) return;
        this.#head = this.#headOf(this.#cut(HEAD_BYTES));
      }
      const { json, attachments } = this.#head;
      if (this.#held < json + attachments) return;
      const body = this.#cut(json + attachments);
      this.#head = undefined;
      yield frameOf(body.subarray(0, json), body.subarray(json));
    }
  }

  #headOf(head: Buffer): FrameLimits {
    if (head.readUInt32BE(0) !== MAGIC) throw new FrameInvalid('it does not begin as a message of chainfold does');
    const told = { json: head.readUInt32BE(4), attachments: head.readUInt32BE(8) };
    const most = this.#limits();
    if (told.json > most.json || told.attachments > most.attachments) throw new FrameInvalid('it is larger than it may be');
    return told;
  }

  #cut(bytes: number): Buffer {
    const all = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces, this.#held);
    const rest = all.subarray(bytes);
    this.#pieces = rest.length === 0 ? [] : [rest];
    this.#held = rest.length;
    return all.subarray(0, bytes);
  }
}

function frameOf(json: Buffer, bytes: Buffer): Frame {
  const parsed = parsedOrNothing(json);
  if (!Array.isArray(parsed) || parsed.length !== 2 || !Array.isArray(parsed[1])) throw new FrameInvalid('it is not the JSON of a message');
  const lengths = parsed[1] as readonly unknown[];
  const attachments: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (const length of lengths) {
    if (!Number.isSafeInteger(length) || (length as number) < 0) throw new FrameInvalid('an attachment has no length');
    // Of their own: they outlive the frame, and go to other threads.
    attachments.push(new Uint8Array(bytes.subarray(at, at + (length as number))));
    at += length as number;
  }
  if (at !== bytes.length) throw new FrameInvalid('its attachments are not as long as it says');
  return { packet: parsed[0] as unknown, attachments };
}

function parsedOrNothing(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString()) as unknown;
  } catch {
    return undefined;
  }
}

/** Whoever sends this is no peer of ours; the connection is cut. */
export class FrameInvalid extends ChainfoldError {
  constructor(rule: string) {
    super('What arrived is not a message', { code: 'frame-invalid', kind: 'invalid', facts: { rule } });
  }
}
