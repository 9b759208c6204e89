import { SnapshotStore, type SnapshotKey } from './snapshot-store.port.ts';

export class MemorySnapshotStore extends SnapshotStore {
  readonly #texts = new Map<string, string>();

  async get(key: SnapshotKey): Promise<string | undefined> {
    return this.#texts.get(nameOf(key));
  }

  async put(key: SnapshotKey, text: string): Promise<void> {
    this.#texts.set(nameOf(key), text);
  }

  async close(): Promise<void> {
    this.#texts.clear();
  }
}

function nameOf({ log, stream, stateVersion }: SnapshotKey): string {
  return `${log} ${stream} ${stateVersion}`;
}
