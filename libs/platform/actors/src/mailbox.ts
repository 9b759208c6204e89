import type { StreamName } from '#platform/kernel';
import { Overloaded } from './actors.errors.ts';
import type { Told, TellOptions } from './actors.port.ts';

/** A command that waits for its answer. */
export interface Waiting<Command> {
  readonly command: Command;
  readonly options: TellOptions;
  /** Of this very tell, so that its events are told from equal ones of another owner. */
  readonly causationId: string;
  readonly bytes: number;
  readonly since: number;
  answer(told: Told): void;
  refuse(error: unknown): void;
}

export interface MailboxLimits {
  readonly commands: number;
  readonly bytes: number;
}

/** What waits in a mailbox, or in many together. */
export interface Depth {
  readonly commands: number;
  readonly bytes: number;
}

/** Counts what waits in all mailboxes of a system, so that many small ones do not fill the memory either. */
export class Backlog {
  commands = 0;
  bytes = 0;

  add(bytes: number): void {
    this.commands++;
    this.bytes += bytes;
  }

  remove(bytes: number): void {
    this.commands--;
    this.bytes -= bytes;
  }

  isFullFor(bytes: number, limits: MailboxLimits): boolean {
    return this.commands >= limits.commands || (this.commands > 0 && this.bytes + bytes > limits.bytes);
  }
}

/** First in, first out. A command stays until it is answered, so what is being worked on counts too. */
export class Mailbox<Command> {
  readonly #waiting: Waiting<Command>[] = [];
  readonly #own = new Backlog();
  readonly #all: Backlog;

  constructor(all: Backlog) {
    this.#all = all;
  }

  get waiting(): readonly Waiting<Command>[] {
    return this.#waiting;
  }

  get depth(): Depth {
    return { commands: this.#own.commands, bytes: this.#own.bytes };
  }

  /** Throws `overloaded`. A command larger than the whole mailbox is taken when nothing else waits. */
  admit(stream: StreamName, bytes: number, limits: { readonly mailbox: MailboxLimits; readonly all: MailboxLimits }, retryAfterMs: () => number): void {
    if (this.#own.isFullFor(bytes, limits.mailbox)) throw new Overloaded(stream, 'mailbox', retryAfterMs());
    if (this.#all.isFullFor(bytes, limits.all)) throw new Overloaded(stream, 'process', retryAfterMs());
  }

  push(item: Waiting<Command>): void {
    this.#waiting.push(item);
    this.#own.add(item.bytes);
    this.#all.add(item.bytes);
  }

  /** The first `count`; they are answered by the caller. */
  take(count: number): readonly Waiting<Command>[] {
    const taken = this.#waiting.splice(0, count);
    for (const { bytes } of taken) {
      this.#own.remove(bytes);
      this.#all.remove(bytes);
    }
    return taken;
  }
}
