import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, TcpContext } from '@nestjs/microservices';
import { z } from 'zod';
import type { Agreement } from './agreement.ts';
import type { FrameSocket } from './frame-socket.ts';
import { MessageBody } from './message-body.ts';
import { WORKERS_DOOR, type DoorOptions } from './worker-guard.ts';
import { WorkerSessions } from './worker-session.ts';
import { WorkerSettingsDiffer, WorkerVersionDiffers } from './workers.errors.ts';

const NAME = /^[\w][\w .:@()/-]{0,99}$/;
const MOST_NAMED = 5;

export const greeting = z.strictObject({
  /** `inside.` is how parts of the owner call themselves. */
  holder: z.string().regex(/^worker\.[\w.-]{1,60}$/),
  version: z.string().regex(/^[\w.+-]{1,40}$/),
  agreement: z.record(z.string().regex(NAME), z.string().regex(/^[0-9a-f]{1,64}$/)).refine((given) => Object.keys(given).length <= 500),
});
export type Greeting = z.output<typeof greeting>;

/** The first message of every connection. */
@Controller()
export class GreetingController {
  readonly #sessions: WorkerSessions;
  readonly #door: DoorOptions;

  constructor(@Inject(WorkerSessions) sessions: WorkerSessions, @Inject(WORKERS_DOOR) door: DoorOptions) {
    this.#sessions = sessions;
    this.#door = door;
  }

  @MessagePattern('hello.v1')
  hello(@Payload(new MessageBody(greeting)) { holder, version, agreement }: Greeting, @Ctx() context: TcpContext): { readonly version: string } {
    if (version !== this.#door.version) throw new WorkerVersionDiffers(this.#door.version, version);
    const differing = differencesOf(this.#door.agreement, agreement);
    if (differing.length > 0) throw new WorkerSettingsDiffer(differing);
    const peer = context.getSocketRef() as unknown as FrameSocket;
    if (peer.session === undefined) {
      const left = new AbortController();
      peer.socket.once('close', () => left.abort(new Error('the worker left')));
      peer.session = this.#sessions.join(holder, left.signal, () => peer.socket.destroy());
      this.#door.log.info({ holder, workers: this.#sessions.list().length }, 'a worker joined');
      left.signal.addEventListener('abort', () => this.#door.log.info({ holder, workers: this.#sessions.list().length }, 'a worker left'), { once: true });
    }
    return { version };
  }
}

function differencesOf(ours: Agreement, theirs: Agreement): readonly string[] {
  const names = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
  return [...names].filter((name) => ours[name] !== theirs[name]).sort().slice(0, MOST_NAMED);
}
