import type { EventStore } from '#platform/event-store';
import type { Clock } from '#platform/kernel';
import type { Logger } from '#platform/observability';
import type { ActorHooks } from './actor-hooks.ts';
import type { Backlog, MailboxLimits } from './mailbox.ts';
import type { SnapshotStore } from './snapshot-store.port.ts';

export interface ActorLimits {
  /** Of one actor. */
  readonly mailbox: MailboxLimits;
  /** Of all actors together. */
  readonly all: MailboxLimits;
  /** An actor that nobody used for so long leaves memory. */
  readonly idleMs: number;
  /** For definitions that do not say. */
  readonly maxResident: number;
  /** How often a batch is decided again after a conflict or an append that nobody can answer for. */
  readonly retries: number;
  /** Longest first pause before such a retry; doubles each time. The pause itself is drawn between nothing and this. */
  readonly retryPauseMs: number;
}

export const DEFAULT_LIMITS: ActorLimits = {
  mailbox: { commands: 1_000, bytes: 32_000_000 },
  all: { commands: 20_000, bytes: 256_000_000 },
  idleMs: 300_000,
  maxResident: 1_000,
  retries: 3,
  retryPauseMs: 20,
};

/** What every actor of a system works with. */
export interface ActorServices {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly snapshots: SnapshotStore | undefined;
  readonly limits: ActorLimits;
  readonly hooks: ActorHooks;
  readonly logger: Logger;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  readonly backlog: Backlog;
}
