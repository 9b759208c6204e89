import { randomInt } from 'node:crypto';

export function randomSeed(): number {
  return randomInt(1_000_000_000);
}

/** `SIMULATION_SEEDS=4,100-120` replays these histories alone. */
export function wishedSeeds(): readonly number[] | undefined {
  const wished = process.env['SIMULATION_SEEDS'];
  if (wished === undefined || wished === '') return undefined;
  return wished.split(',').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  });
}

/** `SIMULATION_MINUTES=30` runs random seeds for so long, each failing one printed with its history. */
export function wishedMinutes(): number | undefined {
  const wished = process.env['SIMULATION_MINUTES'];
  return wished === undefined || wished === '' ? undefined : Number(wished);
}
