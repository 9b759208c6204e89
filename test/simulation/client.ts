import { setTimeout as pause } from 'node:timers/promises';
import type { Told } from '#platform/actors';
import { ChainfoldError } from '#platform/kernel';
import type { ChainCommand } from '../../libs/contexts/chain/src/domain/chain.commands.ts';
import type { ProcessLife } from './process-life.ts';
import { CHAIN_ID } from './true-chain.ts';

type Wish = Extract<ChainCommand, { type: 'RequestBackfill' | 'CancelBackfill' }>;

/** A command as its client knows it: without an outcome it was never answered, and the client sends it again. */
export interface Sent {
  readonly id: string;
  readonly command: Wish;
  told?: Told;
  refused?: string;
}

/** Somebody outside who asks for backfills and takes them back, repeats what had no answer, and remembers all answers. */
export class Client {
  readonly sent: Sent[] = [];
  /** What no client may ever see. */
  readonly wrong: string[] = [];

  request(life: ProcessLife, from: number, to: number): Promise<void> {
    return this.#send(life, { type: 'RequestBackfill', from, to });
  }

  async requestAndCancel(life: ProcessLife, from: number, to: number, afterMs: number): Promise<void> {
    const requested = this.request(life, from, to);
    if (afterMs > 0) await pause(afterMs);
    await Promise.all([requested, this.#send(life, { type: 'CancelBackfill', from, to, reason: 'not wanted any more' })]);
  }

  async cancel(life: ProcessLife, back: number): Promise<void> {
    const requests = this.sent.filter(({ command, refused }) => command.type === 'RequestBackfill' && refused === undefined);
    const { command: { from, to } = {} } = requests.at(-1 - back) ?? {};
    if (from !== undefined && to !== undefined) await this.#send(life, { type: 'CancelBackfill', from, to, reason: 'not wanted any more' });
  }

  async repeat(life: ProcessLife, back: number): Promise<void> {
    const sent = this.sent.filter(({ refused }) => refused === undefined).at(-1 - back);
    if (sent !== undefined) await this.#tell(life, sent);
  }

  /** Everything that was not refused, once more: what had no answer gets one, what had one gets the same. */
  async repeatAll(life: ProcessLife): Promise<void> {
    for (const sent of this.sent) if (sent.refused === undefined) await this.#tell(life, sent);
  }

  get unanswered(): readonly Sent[] {
    return this.sent.filter(({ told, refused }) => told === undefined && refused === undefined);
  }

  async #send(life: ProcessLife, command: Wish): Promise<void> {
    const sent: Sent = { id: `command-${this.sent.length}`, command };
    this.sent.push(sent);
    await this.#tell(life, sent);
  }

  async #tell(life: ProcessLife, sent: Sent): Promise<void> {
    const { id, command } = sent;
    try {
      const told = await life.actors.chains.tell(CHAIN_ID, command, { commandId: id });
      const before = sent.told;
      sent.told ??= told;
      if (before !== undefined && before.events.length > 0 && !isSame(before, told)) this.wrong.push(`${id} was told ${summary(before)}, then ${summary(told)}`);
      if (command.type === 'RequestBackfill' && told.events.length > 0) await this.#mustSee(life, sent, told);
    } catch (error) {
      if (life.dead || mayPass(error)) return;
      if (!(error instanceof ChainfoldError) || !error.code.startsWith('backfill-')) throw error;
      if (sent.told !== undefined && sent.told.events.length > 0) this.wrong.push(`${id} was acknowledged, then refused: ${error.code}`);
      sent.refused ??= error.code;
    }
  }

  /** Who waits for the position of an answer sees what it stands for. */
  async #mustSee({ read, mortality }: ProcessLife, { id, command }: Sent, told: Told): Promise<void> {
    const visible = await read?.explorer.visible(told.position).then(() => true, () => false);
    if (visible !== true || read === undefined || mortality.dead || read.isParked) return;
    await read.explorer.backfill(CHAIN_ID, command.from, command.to).catch((error: unknown) => this.wrong.push(`${id} is not visible: ${String(error)}`));
  }
}

function isSame(one: Told, other: Told): boolean {
  return other.repeated && one.events.length === other.events.length && one.events.every(({ id, position }, at) => other.events[at]?.id === id && other.events[at].position === position);
}

function summary({ revision, events, repeated }: Told): string {
  return JSON.stringify({ revision, repeated, events: events.map(({ type, revision: at }) => `${type} ${at}`) });
}

/** Trouble of the moment: the command may be carried out or not, and may be sent again. */
function mayPass(error: unknown): boolean {
  return error instanceof ChainfoldError && (error.retryable || error.kind === 'unavailable' || error.code === 'chain-not-started');
}
