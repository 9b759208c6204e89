import { inAppends, type PreparedEvent } from '#platform/event-store';
import type { DomainEvent, EventToAppend, Position, RecordedEvent, StreamName } from '#platform/kernel';
import type { ActorDefinition } from './actors.port.ts';
import type { ActorServices } from './actor-services.ts';
import { foldStream, type Folded } from './fold.ts';
import { readSnapshot, writeSnapshot, type Snapshot } from './snapshot-text.ts';

/** The written side of one actor: its stream in the log, the fold of it in memory, its snapshot. */
export class StreamKeeper<State, Command, Event extends DomainEvent> {
  readonly #stream: StreamName;
  readonly #definition: ActorDefinition<State, Command, Event>;
  readonly #services: ActorServices;
  #folded: Folded<State> | undefined;
  #loading: Promise<Folded<State>> | undefined;
  #snapshotAt = -1;
  #saving: Promise<void> | undefined;

  constructor(stream: StreamName, definition: ActorDefinition<State, Command, Event>, services: ActorServices) {
    this.#stream = stream;
    this.#definition = definition;
    this.#services = services;
  }

  get busy(): boolean {
    return this.#loading !== undefined || this.#saving !== undefined;
  }

  get quarantined(): boolean {
    return this.#folded?.quarantine !== undefined;
  }

  load(): Promise<Folded<State>> {
    if (this.#folded !== undefined) return Promise.resolve(this.#folded);
    this.#loading ??= this.#fold().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** What is in memory may not be what the log holds. */
  forget(): void {
    this.#folded = undefined;
  }

  /** Throws what the store throws. `sure` is false when other, equally named events may stand there instead of ours. */
  async append(events: readonly PreparedEvent[], before: Folded<State>): Promise<{ readonly recorded: readonly RecordedEvent[]; readonly sure: boolean }> {
    const parts = inAppends(events);
    let revision = before.revision;
    const appends = parts.map((part) => {
      const expected = revision < 0 ? ('noStream' as const) : revision;
      revision += part.length;
      return { stream: this.#stream, expected, events: part };
    });
    const { store } = this.#services;
    const first = appends[0]!;
    const answers = appends.length === 1 ? [await store.append(first)] : await store.appendAll(appends);
    if (answers.some((answer) => answer.repeated)) return { recorded: [], sure: false };
    const positions = answers.flatMap(({ position, positions: each }, part) => (parts[part]!.length === 1 ? [position] : (each ?? [])));
    if (positions.length !== events.length) {
      return { recorded: await store.readStream(this.#stream, before.revision + 1, events.length), sure: true };
    }
    const recorded = events.map((event, index) => recordedAt(event, this.#stream, before.revision + 1 + index, positions[index]!));
    return { recorded, sure: true };
  }

  /** After an append: the state moves. */
  advance(before: Folded<State>, state: State, recorded: readonly RecordedEvent[]): void {
    const last = recorded.at(-1);
    if (last === undefined) return;
    for (const event of recorded) before.memory.note(event);
    const { revision, position, id: lastEventId } = last;
    this.#folded = { state, revision, position, lastEventId, memory: before.memory, quarantine: undefined };
    this.#snapshotWhenDue(this.#folded);
  }

  /** Do these very events, not only ones of the same id, stand at their place? Then as they stand. */
  async find(events: readonly EventToAppend[], before: Folded<State>): Promise<readonly RecordedEvent[] | undefined> {
    const standing = await this.#services.store.readStream(this.#stream, before.revision + 1, events.length);
    return standing.length === events.length && standing.every((event, index) => isSame(event, events[index]!)) ? standing : undefined;
  }

  /** What a command wrote. */
  async eventsOf(commandId: string, first: number, last: number): Promise<readonly RecordedEvent[]> {
    const events = await this.#services.store.readStream(this.#stream, first, last - first + 1);
    return events.filter((event) => event.commandId === commandId);
  }

  /** Resolves when the snapshot that is being written is. */
  async saved(): Promise<void> {
    await this.#saving;
  }

  async #fold(): Promise<Folded<State>> {
    const { clock, hooks, store, logger } = this.#services;
    const start = clock.monotonic();
    const snapshot = await this.#readSnapshot();
    const { folded, read, usedSnapshot } = await foldStream(store, this.#stream, this.#definition, snapshot);
    if (snapshot !== undefined) this.#tellSnapshot(usedSnapshot ? 'read' : 'ignored');
    this.#snapshotAt = usedSnapshot && snapshot !== undefined ? snapshot.revision : -1;
    hooks.loaded?.(this.#definition.category, read, (clock.monotonic() - start) / 1_000);
    this.#folded = folded;
    if (folded.quarantine !== undefined) {
      logger.error({ ...folded.quarantine.facts, err: folded.quarantine }, 'Actor quarantined');
      hooks.quarantined?.(this.#stream, folded.quarantine);
    }
    this.#snapshotWhenDue(folded);
    return folded;
  }

  async #readSnapshot(): Promise<Snapshot<State> | undefined> {
    const policy = this.#definition.snapshot;
    const { snapshots } = this.#services;
    if (policy === undefined || snapshots === undefined) return undefined;
    try {
      const text = await snapshots.get(this.#key(policy.stateVersion));
      if (text === undefined) return undefined;
      const snapshot = readSnapshot(text, policy);
      if (snapshot === undefined) this.#tellSnapshot('ignored');
      return snapshot;
    } catch (error) {
      this.#tellSnapshot('failed', error);
      return undefined;
    }
  }

  #snapshotWhenDue(folded: Folded<State>): void {
    const policy = this.#definition.snapshot;
    const { snapshots } = this.#services;
    if (policy === undefined || snapshots === undefined || this.#saving !== undefined || folded.quarantine !== undefined) return;
    if (folded.revision - this.#snapshotAt < policy.everyEvents) return;
    try {
      const text = writeSnapshot(folded, policy);
      this.#saving = snapshots
        .put(this.#key(policy.stateVersion), text)
        .then(
          () => {
            this.#snapshotAt = folded.revision;
            this.#tellSnapshot('written');
          },
          (error: unknown) => this.#tellSnapshot('failed', error),
        )
        .finally(() => {
          this.#saving = undefined;
        });
    } catch (error) {
      this.#tellSnapshot('failed', error);
    }
  }

  #tellSnapshot(outcome: 'read' | 'written' | 'ignored' | 'failed', err?: unknown): void {
    this.#services.hooks.snapshot?.(this.#definition.category, outcome);
    if (outcome === 'ignored' || outcome === 'failed') {
      this.#services.logger.warn({ stream: this.#stream, outcome, err }, 'Snapshot not used');
    }
  }

  #key(stateVersion: number) {
    return { log: this.#services.store.identity, stream: this.#stream, stateVersion };
  }
}

/** Without the text that was made of it for writing. */
function recordedAt({ id, type, schemaVersion, occurredAt, recordedAt: at, correlationId, causationId, commandId, trace, data }: EventToAppend, stream: StreamName, revision: number, position: Position): RecordedEvent {
  const event = { id, type, schemaVersion, stream, revision, position, occurredAt, recordedAt: at, correlationId, causationId };
  return { ...event, ...(commandId !== undefined && { commandId }), ...(trace !== undefined && { trace }), data };
}

function isSame(standing: RecordedEvent, ours: EventToAppend): boolean {
  return (
    standing.id === ours.id &&
    standing.causationId === ours.causationId &&
    standing.correlationId === ours.correlationId &&
    standing.commandId === ours.commandId &&
    standing.recordedAt === ours.recordedAt
  );
}
