import type { Chance } from './seeded-chance.ts';

/** Of one request: between so much and so much in all, of which up to `wayInMs` passes before the meter sees it. */
export interface LatencyRange {
  readonly leastMs: number;
  readonly mostMs: number;
  readonly wayInMs?: number;
}

export interface Latency {
  readonly wayInMs: number;
  readonly wayBackMs: number;
}

export function drawLatency({ leastMs, mostMs, wayInMs = 40 }: LatencyRange, chance: Chance): Latency {
  const whole = leastMs + chance() * (mostMs - leastMs);
  const wayIn = Math.min(whole, chance() * wayInMs);
  return { wayInMs: wayIn, wayBackMs: whole - wayIn };
}
