import { ChainfoldError } from '#platform/kernel';
import type { Output } from '../output.ts';
import type { Target } from '../target.ts';
import type { ShownProjection } from './log.ts';

const ASK_EVERY_MS = 250;
const PARTS = 1_000;

/** Builds a read model anew beside the live one and waits until it was swapped in. */
export async function rebuild({ api }: Target, output: Output, name: string): Promise<void> {
  const { generation } = await api.post<{ generation: number }>(`${pathOf(name)}/rebuild`);
  await untilLive({ api }, output, name, generation);
  output.result({ kind: 'rebuilt', projection: name, generation }, () => `${name} is live in generation ${generation}; the one before is kept.`);
}

/** Swaps back to the generation that is kept, which catches up first. */
export async function activate({ api }: Target, output: Output, name: string, generation: number): Promise<void> {
  await api.post(`${pathOf(name)}/activate`, { generation });
  await untilLive({ api }, output, name, generation);
  output.result({ kind: 'activated', projection: name, generation }, () => `${name} is live in generation ${generation}; the one before is kept.`);
}

function pathOf(name: string): string {
  return `/api/v1/projections/${encodeURIComponent(name)}`;
}

async function untilLive({ api }: Pick<Target, 'api'>, output: Output, name: string, generation: number): Promise<void> {
  const progress = output.progress(`generation ${generation}`, 'parts');
  const from = performance.now();
  try {
    for (;;) {
      const now = await api.get<ShownProjection>(pathOf(name));
      if (now.generation === generation) {
        progress.at(PARTS, PARTS, {});
        break;
      }
      refuseTrouble(name, now, generation);
      const done = Math.floor((now.rebuild?.progress ?? 0) * PARTS);
      const rate = (done * 1_000) / (performance.now() - from);
      progress.at(done, PARTS, { rate, etaSeconds: rate > 0 ? (PARTS - done) / rate : null });
      await new Promise((resume) => setTimeout(resume, ASK_EVERY_MS));
    }
  } finally {
    progress.end();
  }
}

function refuseTrouble(name: string, { rebuild: building, state, lastError }: ShownProjection, generation: number): void {
  const stuck = building?.generation === generation && (building.state === 'held-back' || building.state === 'failed' || building.state === 'paused');
  if (!stuck && state !== 'failed') return;
  throw new ChainfoldError(`Generation ${generation} of ${name} did not go live`, {
    code: 'rebuild-stuck',
    kind: 'unavailable',
    facts: { state: building?.state ?? state, reason: building?.reason ?? lastError?.message },
    hint: 'The live generation still answers. `chainfold projections` shows how it stands.',
  });
}
