import type { ErrorMessage } from '#platform/kernel';
import type { Position } from '#platform/kernel';
import type { ProjectionRunner } from './projection-runner.ts';
import type { ProjectionSettings, ProjectionStatus } from './projection-status.ts';

/** What the projector's thread is given when it starts. */
export interface ProjectorData {
  readonly logDirectory: string;
  readonly readFile: string;
  /** URLs of modules that export `projections: readonly Projection[]` and maybe `upcasters: Upcasters`. */
  readonly modules: readonly string[];
  readonly settings: Partial<ProjectionSettings>;
}

/** What an operator may ask of the runner, over the border of the thread. */
export const PROJECTOR_CALLS = ['pause', 'resume', 'rebuild', 'activate', 'retire', 'parked', 'retry', 'skip', 'status'] as const;
export type ProjectorCall = (typeof PROJECTOR_CALLS)[number];
export type ProjectorArguments<Call extends ProjectorCall> = Parameters<ProjectionRunner[Call]>;
export type ProjectorAnswer<Call extends ProjectorCall> = Awaited<ReturnType<ProjectionRunner[Call]>>;

export type ToProjector =
  | { readonly type: 'call'; readonly id: number; readonly call: ProjectorCall; readonly args: readonly unknown[] }
  | { readonly type: 'close' };

export type FromProjector =
  | { readonly type: 'started' }
  | { readonly type: 'progress'; readonly projection: string; readonly position: Position }
  | { readonly type: 'status'; readonly statuses: readonly ProjectionStatus[] }
  | { readonly type: 'answer'; readonly id: number; readonly value?: unknown; readonly error?: ErrorMessage }
  /** The thread can not work and ends. */
  | { readonly type: 'fatal'; readonly error: ErrorMessage };
