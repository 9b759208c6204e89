import type { JsonObject } from './json.ts';

/** An event in the shape of a later version; everything else of it (id, stream, revision, position, times) stays. */
export interface UpcastEvent {
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: JsonObject;
}

/** One version further, purely: one event changed or renamed, several where it is split, none where it is dropped. */
export type Upcaster = (data: JsonObject) => readonly UpcastEvent[];

/** By category of the stream, type and version as stored: `{ note: { Noted: { 1: toSecond, 2: toThird } } }`. */
export type Upcasters = Readonly<Record<string, Readonly<Record<string, Readonly<Record<number, Upcaster>>>>>>;

/** Type of what is left of a dropped event: its place, so that no revision is missing. It means nothing to anybody. */
export const DROPPED = 'Dropped';
