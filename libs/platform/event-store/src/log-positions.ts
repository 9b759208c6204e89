import { type Position, START } from '#platform/kernel';
import { ForeignPosition, InvalidPosition } from './event-store.errors.ts';

const DIGITS = 15;
const BILLION = 1_000_000_000;
const POSITION = /^([a-z0-9]+):(\d{15})$/;

/**
 * Positions of one log: `identity:000000000000042`, the number of the event in the whole log, from 1.
 * An identity starts with `x`, so START ("start") sorts before every position as text too.
 */
export class LogPositions {
  readonly identity: string;
  #billions = -1;
  #prefix = '';

  constructor(identity: string) {
    this.identity = identity;
  }

  at(number: number): Position {
    if (number === 0) return START;
    const billions = Math.floor(number / BILLION);
    if (billions !== this.#billions) {
      this.#billions = billions;
      this.#prefix = `${this.identity}:${String(billions).padStart(DIGITS - 9, '0')}`;
    }
    return (this.#prefix + String(BILLION + (number % BILLION)).slice(1)) as Position;
  }

  /** Throws `invalid-position` or `foreign-position`. */
  numberOf(position: string): number {
    if (position === START) return 0;
    const match = POSITION.exec(position);
    if (match === null) throw new InvalidPosition(position);
    if (match[1] !== this.identity) throw new ForeignPosition(position, this.identity);
    return Number(match[2]);
  }

  parse(text: string): Position {
    this.numberOf(text);
    return text as Position;
  }
}
