import type { RecordedEvent } from '#platform/kernel';

/** How many ids of commands that wrote events are remembered per stream. */
export const REMEMBERED_COMMANDS = 1_024;

/** Revisions of the first and last event that a command wrote. */
export interface Remembered {
  readonly first: number;
  readonly last: number;
}

/** The last commands that wrote events, folded from the envelopes: it is as durable as the log. */
export class CommandMemory {
  readonly #commands = new Map<string, Remembered>();

  /** Of a snapshot; undefined when it is not such a memory. */
  static fromJson(json: unknown): CommandMemory | undefined {
    if (!Array.isArray(json)) return undefined;
    const memory = new CommandMemory();
    for (const row of json as readonly unknown[]) {
      if (!Array.isArray(row)) return undefined;
      const [id, first, last] = row as readonly unknown[];
      if (typeof id !== 'string' || !Number.isSafeInteger(first) || !Number.isSafeInteger(last)) return undefined;
      memory.#commands.set(id, { first: first as number, last: last as number });
    }
    return memory;
  }

  note({ commandId, revision }: Pick<RecordedEvent, 'commandId' | 'revision'>): void {
    if (commandId === undefined) return;
    const known = this.#commands.get(commandId);
    this.#commands.delete(commandId);
    this.#commands.set(commandId, { first: known?.first ?? revision, last: revision });
    if (this.#commands.size <= REMEMBERED_COMMANDS) return;
    const oldest = this.#commands.keys().next();
    if (oldest.done !== true) this.#commands.delete(oldest.value);
  }

  find(commandId: string): Remembered | undefined {
    return this.#commands.get(commandId);
  }

  toJson(): unknown {
    return [...this.#commands].map(([id, { first, last }]) => [id, first, last]);
  }
}
