import type { SqliteReadWriter } from '#platform/read-store';

/** The WAL is folded back once nothing has arrived for a moment, so that no event waits for it; without such a moment, when it is large. */
const WAL_BYTES_IDLE = 4 * 1024 * 1024;
const WAL_BYTES_BUSY = 64 * 1024 * 1024;
const IDLE_MS = 20;

export class WalFolding {
  readonly #store: Pick<SqliteReadWriter, 'foldWal'>;
  #idle: NodeJS.Timeout | undefined;

  constructor(store: Pick<SqliteReadWriter, 'foldWal'>) {
    this.#store = store;
  }

  afterBatch(atHead: boolean): void {
    this.stop();
    this.#store.foldWal(WAL_BYTES_BUSY);
    if (!atHead) return;
    this.#idle = setTimeout(() => {
      try {
        this.#store.foldWal(WAL_BYTES_IDLE);
      } catch {
        // Busy or full: the next commit meets the same and tells.
      }
    }, IDLE_MS);
  }

  stop(): void {
    clearTimeout(this.#idle);
  }
}
