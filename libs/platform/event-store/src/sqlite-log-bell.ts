import { BroadcastChannel } from 'node:worker_threads';
import { LogBell } from './log-subscription.ts';

/** The writer rings on it when the head has moved; every thread of the process hears it. */
export function bellName(identity: string): string {
  return `chainfold-log-${identity}`;
}

/** Rung by the writer of this process; polls for writers in other processes. */
export function openLogBell(identity: string, pollMs: number): LogBell {
  const channel = new BroadcastChannel(bellName(identity));
  const bell = new (class extends LogBell {
    override close(): void {
      channel.close();
      super.close();
    }
  })(pollMs);
  channel.onmessage = () => bell.ring();
  // It is the waiting reader's timer that keeps a process alive, not the channel.
  channel.unref();
  return bell;
}
