import type { StreamName } from '#platform/kernel';
import type { ActorQuarantined } from './actors.errors.ts';

/** How a command ended. `nothing`: decided, and there was nothing to say. */
export type TellOutcome = 'written' | 'nothing' | 'repeated' | 'refused' | 'failed' | 'expired' | 'overloaded' | 'draining';

export type SnapshotOutcome = 'read' | 'written' | 'ignored' | 'failed';

/** What an actor system lets others see of itself, for metrics and alarms. May not throw. */
export interface ActorHooks {
  /** `seconds` from the mailbox to the answer. */
  told?(category: string, outcome: TellOutcome, seconds: number): void;
  appended?(category: string, commands: number, events: number, seconds: number): void;
  conflict?(category: string): void;
  indeterminate?(category: string): void;
  /** `events` read from the log, after the snapshot if there was one. */
  loaded?(category: string, events: number, seconds: number): void;
  snapshot?(category: string, outcome: SnapshotOutcome): void;
  passivated?(category: string, reason: 'idle' | 'crowded'): void;
  /** An alarm: a stream can not be written until the code is repaired. */
  quarantined?(stream: StreamName, error: ActorQuarantined): void;
}
