import type { BlockPart } from '../chain.events.ts';

/**
 * What recomputing one part said. `unverifiable` is about the answer alone: it holds a type that nobody here knows, or
 * lacks a field that the hash needs. Whether that is acceptable is for the chain's rules to say.
 */
export type PartReport =
  | { readonly outcome: 'verified' }
  | { readonly outcome: 'mismatched'; readonly field: string; readonly expected: string; readonly actual: string }
  | { readonly outcome: 'unverifiable'; readonly cause: 'unknown-type' | 'field-absent'; readonly field: string };

/** A part that the block does not have, or that was not asked for, is left out. */
export type BlockReport = { readonly [part in BlockPart]?: PartReport };

export const VERIFIED: PartReport = { outcome: 'verified' };

/** A value of an answer as a report shows it. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'absent');
}

/** What was found while a part was recomputed; ends that part. */
export class Mismatched extends Error {
  readonly field: string;
  readonly expected: string;
  readonly actual: string;
  constructor(field: string, expected: string, actual: string) {
    super(field);
    this.field = field;
    this.expected = expected;
    this.actual = actual;
  }
}

export class FieldAbsent extends Error {
  readonly field: string;
  constructor(field: string) {
    super(field);
    this.field = field;
  }
}

export class FieldNotHex extends Error {
  readonly field: string;
  readonly value: string;
  constructor(field: string, value: string) {
    super(field);
    this.field = field;
    this.value = value;
  }
}

export class UnknownType extends Error {
  readonly field: string;
  constructor(field: string) {
    super(field);
    this.field = field;
  }
}

/** Runs the recomputation of one part, whose paths begin with `path()`, and tells what it came to. */
export function reportOf(recompute: () => void, path: () => string): PartReport {
  try {
    recompute();
    return VERIFIED;
  } catch (found) {
    if (found instanceof Mismatched) return { outcome: 'mismatched', field: found.field, expected: found.expected, actual: found.actual };
    if (found instanceof FieldNotHex) {
      return { outcome: 'mismatched', field: path() + found.field, expected: 'hex digits', actual: found.value };
    }
    if (found instanceof FieldAbsent) return { outcome: 'unverifiable', cause: 'field-absent', field: path() + found.field };
    if (found instanceof UnknownType) return { outcome: 'unverifiable', cause: 'unknown-type', field: found.field };
    throw found;
  }
}
