import { randomUUID } from 'node:crypto';
import { ChainfoldError, type DomainEvent, type RecordedEvent, type StreamName } from '#platform/kernel';
import type { TellOutcome } from './actor-hooks.ts';
import type { ActorServices } from './actor-services.ts';
import type { ActorDefinition, TellOptions, Told } from './actors.port.ts';
import { BatchDecision, type Batch, type Verdict } from './decide-batch.ts';
import type { Folded } from './fold.ts';
import { jsonBytes } from './json-size.ts';
import { Mailbox, type Depth, type Waiting } from './mailbox.ts';
import { StreamKeeper } from './stream-keeper.ts';

/** A batch that was handed to the store without a clear answer: it may stand there, now or a little later. */
interface Attempt<State> {
  readonly batch: Batch<State>;
  readonly before: Folded<State>;
}

/** The one writer of one stream in this process. Takes commands one at a time, in order; persists, then answers. */
export class Actor<State, Command, Event extends DomainEvent> {
  readonly stream: StreamName;
  /** On the monotonic clock. */
  lastUsed = 0;
  readonly #definition: ActorDefinition<State, Command, Event>;
  readonly #services: ActorServices;
  readonly #keeper: StreamKeeper<State, Command, Event>;
  readonly #mailbox: Mailbox<Command>;
  #running: Promise<void> | undefined;
  #stopped: ChainfoldError | undefined;
  /** What one command takes of late; for retry-after. */
  #msPerCommand = 5;

  constructor(stream: StreamName, definition: ActorDefinition<State, Command, Event>, services: ActorServices) {
    this.stream = stream;
    this.#definition = definition;
    this.#services = services;
    this.#keeper = new StreamKeeper(stream, definition, services);
    this.#mailbox = new Mailbox(services.backlog);
  }

  get busy(): boolean {
    return this.#running !== undefined || this.#keeper.busy;
  }

  get depth(): Depth {
    return this.#mailbox.depth;
  }

  get quarantined(): boolean {
    return this.#keeper.quarantined;
  }

  /** Throws `overloaded` at once; everything else comes with the promise. */
  tell(command: Command, options: TellOptions): Promise<Told> {
    const retryAfterMs = (): number => Math.round(Math.min(30_000, Math.max(10, this.#msPerCommand * this.#mailbox.depth.commands)));
    const bytes = this.#definition.commandBytes?.(command) ?? jsonBytes(command);
    this.#mailbox.admit(this.stream, bytes, this.#services.limits, retryAfterMs);
    const causationId = options.causationId ?? options.commandId ?? randomUUID();
    return new Promise((resolve, reject) => {
      this.#mailbox.push({ command, options, causationId, bytes, since: this.#services.clock.monotonic(), answer: resolve, refuse: reject });
      this.#running ??= this.#run();
    });
  }

  async peek(): Promise<{ readonly state: State; readonly revision: number }> {
    const { state, revision } = await this.#keeper.load();
    return { state, revision };
  }

  /** Resolves when nothing waits and nothing is being written. */
  async rest(): Promise<void> {
    await this.#running;
    await this.#keeper.saved();
  }

  /** What is with the store is still answered; what waits is refused with this. */
  stop(error: ChainfoldError): void {
    this.#stopped = error;
  }

  async #run(): Promise<void> {
    // Commands that are told in one go share an append.
    await Promise.resolve();
    while (this.#mailbox.waiting.length > 0) {
      const start = this.#services.clock.monotonic();
      const waiting = this.#mailbox.depth.commands;
      try {
        if (this.#stopped === undefined) await this.#turn();
        else this.#refuseAll(this.#stopped, 'draining');
      } catch (error) {
        this.#services.logger.error({ stream: this.stream, err: error }, 'Actor turn failed');
        this.#keeper.forget();
        this.#refuseAll(error, 'failed');
      }
      const taken = Math.max(1, waiting - this.#mailbox.depth.commands);
      this.#msPerCommand = 0.8 * this.#msPerCommand + (0.2 * (this.#services.clock.monotonic() - start)) / taken;
    }
    this.#running = undefined;
  }

  /** Decides as many of the first commands as fit one append, writes, answers; all again while somebody else writes too. */
  async #turn(): Promise<void> {
    const uncertain: Attempt<State>[] = [];
    for (let tries = 0; ; tries++) {
      let attempt: Attempt<State> | undefined;
      try {
        const before = await this.#keeper.load();
        if (await this.#answerLanded(uncertain)) return;
        if (before.quarantine !== undefined) return this.#refuseAll(before.quarantine, 'refused');
        const batch = new BatchDecision(this.#definition, this.stream, before, this.#services.clock).decide(this.#mailbox.waiting);
        attempt = { batch, before };
        if (await this.#write(attempt)) return;
        throw new OthersStandThere(this.stream);
      } catch (error) {
        this.#keeper.forget();
        if (attempt !== undefined && (error instanceof OthersStandThere || codeOf(error) === 'indeterminate-append')) uncertain.push(attempt);
        const again = this.#mayRetry(error) && tries < this.#services.limits.retries && this.#stopped === undefined;
        if (!again) return this.#giveUp(uncertain, attempt, error);
      }
      await this.#pause(tries);
    }
  }

  /** The last look at the log before commands are told that nobody knows. */
  async #giveUp(uncertain: readonly Attempt<State>[], attempt: Attempt<State> | undefined, error: unknown): Promise<void> {
    try {
      if (await this.#answerLanded(uncertain)) return;
    } catch (unreadable) {
      this.#services.logger.warn({ stream: this.stream, err: unreadable }, 'Log not readable after an append without an answer');
    }
    await this.#fail(attempt ?? uncertain.at(-1), error);
  }

  /** False when events of the same ids stand there that may be another owner's. */
  async #write(attempt: Attempt<State>): Promise<boolean> {
    const { batch, before } = attempt;
    if (batch.events.length === 0) {
      await this.#answer(attempt, []);
      return true;
    }
    const { clock, hooks } = this.#services;
    const start = clock.monotonic();
    const { recorded, sure } = await this.#keeper.append(batch.events, before);
    if (!sure) return false;
    hooks.appended?.(this.#definition.category, batch.verdicts.length, recorded.length, (clock.monotonic() - start) / 1_000);
    this.#keeper.advance(before, batch.state, recorded);
    await this.#answer(attempt, recorded);
    return true;
  }

  /** An earlier attempt of this turn may have been written after all; then its commands have their answers. */
  async #answerLanded(uncertain: readonly Attempt<State>[]): Promise<boolean> {
    for (const attempt of uncertain) {
      const recorded = await this.#keeper.find(attempt.batch.events, attempt.before);
      if (recorded === undefined) continue;
      await this.#answer(attempt, recorded);
      return true;
    }
    return false;
  }

  async #answer({ batch, before }: Attempt<State>, recorded: readonly RecordedEvent[]): Promise<void> {
    const items = this.#mailbox.take(batch.verdicts.length);
    for (const [index, item] of items.entries()) {
      const verdict = batch.verdicts[index]!;
      if (verdict.kind === 'refused') this.#refuse(item, verdict.error, verdict.expired ? 'expired' : 'refused');
      else await this.#answerOne(item, verdict, batch, before, recorded);
    }
  }

  async #answerOne(item: Waiting<Command>, verdict: Answerable, batch: Batch<State>, before: Folded<State>, recorded: readonly RecordedEvent[]): Promise<void> {
    try {
      const told = await this.#told(item, verdict, batch, before, recorded);
      this.#count(item, told.repeated ? 'repeated' : told.events.length > 0 ? 'written' : 'nothing');
      item.answer(told);
    } catch (error) {
      this.#refuse(item, error, 'failed');
    }
  }

  async #told(item: Waiting<Command>, verdict: Answerable, batch: Batch<State>, before: Folded<State>, recorded: readonly RecordedEvent[]): Promise<Told> {
    if (verdict.kind === 'same-as') {
      const twin = batch.verdicts[verdict.index] as Answerable;
      return { ...(await this.#told(item, twin, batch, before, recorded)), repeated: true };
    }
    const own = recorded.slice(verdict.from, verdict.to);
    if (verdict.kind === 'decided') {
      const last = recorded[verdict.to - 1];
      return { revision: before.revision + verdict.to, position: last?.position ?? before.position, events: own, repeated: false };
    }
    const { first, last } = verdict.was;
    const events = [...(await this.#keeper.eventsOf(item.options.commandId ?? '', first, last)), ...own];
    const end = events.at(-1);
    return { revision: end?.revision ?? last, position: end?.position ?? before.position, events, repeated: true };
  }

  /** Nothing of this batch is known to be written. Refusals that rest on nothing of it stand; what it answered before is answered. */
  async #fail(attempt: Attempt<State> | undefined, error: unknown): Promise<void> {
    if (attempt === undefined) return this.#refuseAll(error, 'failed');
    const { batch, before } = attempt;
    for (const [index, item] of this.#mailbox.take(batch.verdicts.length).entries()) {
      const verdict = batch.verdicts[index]!;
      if (verdict.kind === 'refused' && !verdict.onTentative) this.#refuse(item, verdict.error, verdict.expired ? 'expired' : 'refused');
      else if (verdict.kind === 'remembered' && verdict.to === verdict.from) await this.#answerOne(item, verdict, batch, before, []);
      else this.#refuse(item, error, 'failed');
    }
  }

  #refuseAll(error: unknown, outcome: TellOutcome): void {
    for (const item of this.#mailbox.take(this.#mailbox.waiting.length)) this.#refuse(item, error, outcome);
  }

  #refuse(item: Waiting<Command>, error: unknown, outcome: TellOutcome): void {
    this.#count(item, outcome);
    item.refuse(error);
  }

  #count(item: Waiting<Command>, outcome: TellOutcome): void {
    this.#services.hooks.told?.(this.#definition.category, outcome, (this.#services.clock.monotonic() - item.since) / 1_000);
  }

  #mayRetry(error: unknown): boolean {
    const { hooks, logger } = this.#services;
    switch (codeOf(error)) {
      case 'revision-conflict':
        hooks.conflict?.(this.#definition.category);
        logger.debug({ stream: this.stream }, 'Another owner wrote; deciding again');
        return true;
      case 'indeterminate-append':
        hooks.indeterminate?.(this.#definition.category);
        logger.warn({ stream: this.stream, err: error }, 'Append without an answer; looking at the log');
        return true;
      default:
        return false;
    }
  }

  #pause(tries: number): Promise<void> {
    const { clock, limits, random } = this.#services;
    return clock.sleep(limits.retryPauseMs * 2 ** tries * random());
  }
}

type Answerable = Exclude<Verdict, { readonly kind: 'refused' }>;

function codeOf(error: unknown): string | undefined {
  return error instanceof ChainfoldError ? error.code : undefined;
}

/** Events of the ids that ours would have: written by us without our knowing, or by another owner. */
class OthersStandThere extends ChainfoldError {
  constructor(stream: StreamName) {
    super('Another owner wrote to this stream', {
      code: 'revision-conflict',
      kind: 'conflict',
      retryable: true,
      facts: { stream },
      hint: 'Send the command again, and find out why two processes own this stream.',
    });
  }
}
