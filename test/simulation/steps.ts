import type { Fault } from '#platform/testing';
import type { Misdeed } from '../load/replay-faults.ts';

export type Announce = 'each' | 'last' | 'none';
/** `first` is preferred by the capture, and only it lies about where the chain stands; of what is in a block both lie. */
export type Provider = 'first' | 'second';
/** What goes wrong with one commit of the read models. busy, full: refused; lost: written, then an I/O error; rival: somebody else commits the same first. */
export type SinkFault = 'none' | 'busy' | 'full' | 'lost' | 'rival';
/** A range of blocks, as a client asks for it. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What the chain itself does. */
export type ChainStep =
  | { readonly kind: 'grow'; readonly blocks: number; readonly flavour: number; readonly announce: Announce }
  | { readonly kind: 'branch'; readonly depth: number; readonly length: number; readonly flavour: number; readonly announce: Announce }
  | { readonly kind: 'come back'; readonly announce: Announce }
  | { readonly kind: 'roll back'; readonly depth: number }
  | { readonly kind: 'finalize'; readonly behind: number; readonly gap: number };

export type NetworkStep =
  | { readonly kind: 'lie'; readonly provider: Provider; readonly lie: string; readonly times: number }
  | { readonly kind: 'misbehave'; readonly provider: Provider; readonly does: Misdeed; readonly method: string | undefined; readonly times: number }
  | { readonly kind: 'be honest'; readonly provider: Provider }
  /** cut: connections break, new ones too. mute: they stay, and nothing is ever answered. */
  | { readonly kind: 'go away'; readonly provider: Provider; readonly how: 'cut' | 'mute' }
  | { readonly kind: 'come again'; readonly provider: Provider }
  /** A head that was announced before, as a late answer or a second subscription brings it. */
  | { readonly kind: 'announce again'; readonly below: number }
  | { readonly kind: 'fall behind' }
  | { readonly kind: 'catch up' };

export type StoreStep = { readonly kind: 'lose an answer of the store'; readonly faults: readonly Fault[] } | { readonly kind: 'kill the writer' };

export type SinkStep =
  | { readonly kind: 'fail the sink'; readonly faults: readonly SinkFault[] }
  /** The event after so many more can not be applied, by any generation, until the projection is corrected. */
  | { readonly kind: 'poison'; readonly after: number }
  | { readonly kind: 'cure' }
  | { readonly kind: 'restart projections' }
  /** As the next one, only while one owner is there: two would each take their own generation for the live one. */
  | { readonly kind: 'rebuild' }
  /** Back to the generation that was kept. */
  | { readonly kind: 'activate' };

export type ClockStep =
  | { readonly kind: 'time passes'; readonly ms: number }
  /** As a correction of the time does: only what the wall shows. */
  | { readonly kind: 'the wall jumps'; readonly ms: number }
  | { readonly kind: 'the wall drifts'; readonly rate: number };

/** Of whole processes: capture, backfills, projections and queries together. */
export type ProcessStep =
  /** With that append or that commit of the read models from now on, 1 being the next; 0: at once. */
  | { readonly kind: 'crash'; readonly at?: 'append' | 'commit'; readonly appends: number; readonly written: boolean; readonly scheme: 'http' | 'ws' }
  | { readonly kind: 'stop and start'; readonly scheme: 'http' | 'ws' }
  /** As if the lock of the data directory had not kept it away: it captures into the same log, and projects where nothing is being rebuilt. */
  | { readonly kind: 'another owner comes' }
  | { readonly kind: 'the other owner goes'; readonly orderly: boolean };

export type ClientStep =
  | { readonly kind: 'backfill'; readonly from: number; readonly blocks: number }
  /** Taken back so many real milliseconds later, before it is captured or amid it. */
  | { readonly kind: 'backfill and cancel'; readonly from: number; readonly blocks: number; readonly afterMs: number }
  /** The range of the request that stands so many requests back. */
  | { readonly kind: 'cancel a backfill'; readonly back: number }
  /** The very command again, with its id, as a client does that lost the answer. */
  | { readonly kind: 'repeat a command'; readonly back: number }
  | { readonly kind: 'rest' };

/** What happens next. All of it is drawn beforehand, so that a seed says the whole history. */
export type Step = ChainStep | NetworkStep | StoreStep | SinkStep | ClockStep | ProcessStep | ClientStep;

/** With real milliseconds until the next one. */
export type Planned = Step & { readonly pauseMs: number };
