import { createParamDecorator, Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { TcpContext } from '@nestjs/microservices';
import type { Logger } from '#platform/observability';
import type { Secret } from '#platform/settings';
import type { Agreement } from './agreement.ts';
import type { FrameSocket } from './frame-socket.ts';
import { checkToken, type MessageData } from './message-body.ts';
import type { WorkerSession } from './worker-session.ts';
import { GreetingMissing } from './workers.errors.ts';

export interface DoorOptions {
  readonly host: string;
  readonly port: number;
  readonly token: Secret | undefined;
  readonly version: string;
  readonly agreement: Agreement;
  readonly log: Logger;
}

/** Token of its options. */
export const WORKERS_DOOR = Symbol('door for workers');

/** Every message carries the token where there is one, and every one but the greeting comes on a greeted connection. */
@Injectable()
export class WorkerGuard implements CanActivate {
  readonly #token: Secret | undefined;

  constructor(@Inject(WORKERS_DOOR) { token }: DoorOptions) {
    this.#token = token;
  }

  canActivate(context: ExecutionContext): boolean {
    const rpc = context.switchToRpc();
    checkToken(this.#token, rpc.getData<MessageData>().token);
    if (sessionAt(context) === undefined && rpc.getContext<TcpContext>().getPattern() !== 'hello.v1') throw new GreetingMissing();
    return true;
  }
}

/** Who sent this message. */
export const Worker = createParamDecorator((_: unknown, context: ExecutionContext): WorkerSession | undefined => sessionAt(context));

/** What came with this message as bytes. */
export const Attachments = createParamDecorator((_: unknown, context: ExecutionContext) => context.switchToRpc().getData<MessageData>().attachments);

function sessionAt(context: ExecutionContext): WorkerSession | undefined {
  return (context.switchToRpc().getContext<TcpContext>().getSocketRef() as unknown as FrameSocket).session;
}
