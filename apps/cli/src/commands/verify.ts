import { ChainfoldError, type JsonObject } from '#platform/kernel';
import type { Page } from '../api-client.ts';
import type { Output } from '../output.ts';
import type { Target } from '../target.ts';

export interface VerifyOptions {
  readonly chain?: string;
  readonly from?: number;
  readonly to?: number;
}

/** One line of the answer. The last one is `done` or `failed`; without either the walk was cut short. */
type Finding = { readonly kind: 'finding'; readonly code: string; readonly number: number; readonly hash: string; readonly detail: string } & JsonObject;
type Done = { readonly kind: 'done'; readonly blocks: number; readonly transactions: number; readonly findings: number } & JsonObject;
type Hole = { readonly kind: 'hole'; readonly from: number; readonly to: number } & JsonObject;
type Failed = { readonly kind: 'failed'; readonly code: string; readonly message: string; readonly retryable: boolean; readonly hint?: string; readonly facts?: JsonObject };
type Line = { readonly kind: 'progress'; readonly blocks: number } | Finding | Hole | Done | Failed;

/** Recomputes what is stored. Answers how many things are wrong. */
export async function verify({ api }: Target, output: Output, options: VerifyOptions): Promise<number> {
  const { items } = await api.get<Page<{ chainId: string }>>('/api/v1/chains');
  const chains = options.chain === undefined ? items.map((chain) => chain.chainId) : [options.chain];
  if (chains.length === 0) output.result({ kind: 'done', chains: 0, findings: 0 }, () => 'Nothing is captured yet, so nothing is wrong.');
  let wrong = 0;
  for (const chainId of chains) wrong += await verifyChain({ api }, output, chainId, options);
  return wrong;
}

async function verifyChain({ api }: Pick<Target, 'api'>, output: Output, chainId: string, { from, to }: VerifyOptions): Promise<number> {
  const query = new URLSearchParams({ ...(from === undefined ? {} : { from: String(from) }), ...(to === undefined ? {} : { to: String(to) }) });
  const total = await blocksOf({ api }, chainId, from, to);
  const progress = output.progress(`chain ${chainId}`, 'blocks');
  const findings: Finding[] = [];
  const holes: Hole[] = [];
  let last: Done | Failed | undefined;
  const started = performance.now();
  try {
    for await (const line of api.lines<Line>(`/api/v1/chains/${chainId}/verification?${query.toString()}`)) {
      if (line.kind === 'progress') {
        const rate = (line.blocks * 1_000) / (performance.now() - started);
        progress.at(line.blocks, Math.max(total, line.blocks), { rate, etaSeconds: rate > 0 ? Math.max(0, total - line.blocks) / rate : null });
      } else if (line.kind === 'finding') {
        findings.push(line);
        if (output.json) output.result({ chainId, ...line }, () => '');
      } else if (line.kind === 'hole') {
        holes.push(line);
        if (output.json) output.result({ chainId, ...line }, () => '');
      } else {
        last = line;
        // Seen whole, a bar that ends just short of it would look like a cut.
        if (line.kind === 'done' && total > 0 && !output.json) progress.at(line.blocks, line.blocks, { rate: (line.blocks * 1_000) / (performance.now() - started), etaSeconds: 0 });
      }
    }
  } finally {
    progress.end();
  }
  for (const { number, code, detail } of findings) output.note(`  block ${number}: ${detail} (${code})`);
  for (const hole of holes) output.note(`  blocks ${hole.from} to ${hole.to} were never asked for`);
  if (last === undefined) throw new VerificationCut(chainId);
  if (last.kind === 'failed') {
    if (output.json) output.result({ chainId, ...last }, () => '');
    throw new VerificationFailed(last);
  }
  const done = last;
  const found = Math.max(findings.length, done.findings);
  const counted = `${done.blocks} blocks, ${done.transactions} transactions`;
  output.result({ chainId, ...done }, () => `Chain ${chainId}: ${counted}: ${found === 0 ? 'all as it should be' : `${found} things are wrong`}.`);
  return found;
}

/** How many blocks there are to walk, for the bar only. */
async function blocksOf({ api }: Pick<Target, 'api'>, chainId: string, from = 0, to = Number.MAX_SAFE_INTEGER): Promise<number> {
  const { blocks } = await api.get<{ blocks: number }>(`/api/v1/chains/${chainId}`);
  return Math.min(blocks, to - from + 1);
}

/** The trouble of the process that verified, as it would have been told had it been met before the first line. */
class VerificationFailed extends ChainfoldError {
  constructor({ code, message, retryable, hint, facts }: Failed) {
    super(message, { code, kind: 'unavailable', retryable, ...(hint === undefined ? {} : { hint }), ...(facts === undefined ? {} : { facts }) });
  }
}

class VerificationCut extends ChainfoldError {
  constructor(chainId: string) {
    super(`The verification of chain ${chainId} was cut short`, {
      code: 'verification-cut',
      kind: 'unavailable',
      retryable: true,
      hint: 'Is the process ending? Run it again; what was verified before the cut says nothing about the rest.',
    });
  }
}
