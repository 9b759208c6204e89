import { Catch, type ArgumentsHost, type RpcExceptionFilter } from '@nestjs/common';
import type { TcpContext } from '@nestjs/microservices';
import { ChainfoldError, toErrorMessage, type ErrorMessage } from '#platform/kernel';
import type { Logger } from '#platform/observability';
import { type Observable, throwError } from 'rxjs';
import type { FrameSocket } from './frame-socket.ts';

const TOLD: ReadonlySet<string> = new Set(['worker-token-wrong', 'worker-version-differs', 'worker-settings-differ', 'worker-message-invalid']);
const MOST_REMEMBERED = 200;

/** Errors cross as plain data; what is a bug of ours is told to our log only. A peer that is refused again and again is one line. */
@Catch()
export class Refusals implements RpcExceptionFilter {
  readonly #log: Logger;
  readonly #told = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  catch(error: unknown, host: ArgumentsHost): Observable<never> {
    const message = toErrorMessage(error);
    const context = host.switchToRpc().getContext<TcpContext>();
    if (message.kind === 'bug') this.#log.error({ err: error, pattern: context.getPattern() }, 'a message of a worker failed');
    else if (error instanceof ChainfoldError) this.#tell(message, context.getSocketRef() as unknown as FrameSocket);
    const answer: ErrorMessage = message.kind === 'bug' ? { ...message, message: 'The owner failed', code: 'owner-failed', kind: 'unavailable', retryable: true, facts: {} } : message;
    return throwError(() => answer);
  }

  #tell({ code, message, facts }: ErrorMessage, { session, socket }: FrameSocket): void {
    const from = session?.holder ?? socket.remoteAddress ?? 'unknown';
    const what = `${code} ${from} ${message}`;
    if (!TOLD.has(code) || this.#told.has(what) || this.#told.size >= MOST_REMEMBERED) return;
    this.#told.add(what);
    this.#log.warn({ code, from, ...facts }, 'a worker was refused');
  }
}
