import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { Attachments, MessageBody, Worker, type WorkerSession } from '#platform/workers';
import type { z } from 'zod';
import { ReadingJobs } from '../application/reading-jobs.ts';
import { beatMessage, doneMessage, handMessage, readBlocks, takeMessage } from '../application/work-messages.ts';

/** What workers say to the board of reading jobs. */
@Controller()
export class WorkController {
  readonly #jobs: ReadingJobs;

  constructor(@Inject(ReadingJobs) jobs: ReadingJobs) {
    this.#jobs = jobs;
  }

  @MessagePattern('work.take.v1')
  async take(@Payload(new MessageBody(takeMessage)) { slots, waitMs }: z.output<typeof takeMessage>, @Worker() worker: WorkerSession): Promise<object> {
    return { job: (await this.#jobs.take(worker, slots, waitMs)) ?? null };
  }

  @MessagePattern('work.block.v1')
  async hand(
    @Payload(new MessageBody(handMessage)) { ticket, first, blocks }: z.output<typeof handMessage>,
    @Attachments() attachments: readonly Uint8Array<ArrayBuffer>[],
    @Worker() worker: WorkerSession,
  ): Promise<object> {
    await this.#jobs.hand(worker, ticket, first, readBlocks(blocks, attachments));
    return {};
  }

  @MessagePattern('work.done.v1')
  done(@Payload(new MessageBody(doneMessage)) { ticket, blocks, error }: z.output<typeof doneMessage>, @Worker() worker: WorkerSession): object {
    this.#jobs.done(worker, ticket, blocks, error);
    return {};
  }

  @MessagePattern('work.beat.v1')
  beat(@Payload(new MessageBody(beatMessage)) { tickets }: z.output<typeof beatMessage>, @Worker() worker: WorkerSession): object {
    return { gone: this.#jobs.beat(worker, tickets) };
  }
}
