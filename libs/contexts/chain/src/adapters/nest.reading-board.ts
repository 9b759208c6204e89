import type { ErrorMessage } from '#platform/kernel';
import type { OwnerConnection } from '#platform/workers';
import { beatAnswer, nothing, takeAnswer, writeBlocks } from '../application/work-messages.ts';
import type { ReadBlock } from '../ports/block-reader.port.ts';
import { ReadingBoard, type ReadingJob } from '../ports/reading-board.port.ts';

const WAIT_MS = 4_000;
const ANSWER_MS = 10_000;
/** A block is answered when it is durable. */
const WRITTEN_MS = 60_000;

/** The owner's board over its port for workers. */
export class NestReadingBoard extends ReadingBoard {
  readonly #owner: OwnerConnection;

  constructor(owner: OwnerConnection) {
    super();
    this.#owner = owner;
  }

  get pauseMs(): number {
    return this.#owner.pauseMs;
  }

  async take(slots: number): Promise<ReadingJob | undefined> {
    const { job } = await this.#owner.ask({ pattern: 'work.take.v1', body: { slots, waitMs: WAIT_MS }, answer: takeAnswer, withinMs: WAIT_MS + ANSWER_MS });
    return job ?? undefined;
  }

  async hand(ticket: string, first: number, blocks: readonly ReadBlock[]): Promise<void> {
    const { blocks: written, attachments } = writeBlocks(blocks);
    await this.#owner.ask({ pattern: 'work.block.v1', body: { ticket, first, blocks: written }, attachments, answer: nothing, withinMs: WRITTEN_MS });
  }

  async done(ticket: string, blocks: number, error?: ErrorMessage): Promise<void> {
    const body = { ticket, blocks, ...(error !== undefined && { error }) };
    await this.#owner.ask({ pattern: 'work.done.v1', body, answer: nothing, withinMs: ANSWER_MS });
  }

  async beat(tickets: readonly string[]): Promise<readonly string[]> {
    const { gone } = await this.#owner.ask({ pattern: 'work.beat.v1', body: { tickets }, answer: beatAnswer, withinMs: ANSWER_MS });
    return gone;
  }
}
