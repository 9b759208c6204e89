import { ChainfoldError, type JsonObject } from '#platform/kernel';
import type { Page } from '../api-client.ts';
import type { Output } from '../output.ts';
import type { Target } from '../target.ts';

export interface VerifyOptions {
  readonly chain?: string;
  readonly from?: number;
  readonly to?: number;
}

/** One line of the answer. The last one is the summary; without it the walk was cut short. */
export type VerificationLine =
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | ({ readonly kind: 'finding'; readonly code: string; readonly block?: number; readonly detail: string } & JsonObject)
  | ({ readonly kind: 'summary'; readonly blocks: number; readonly transactions?: number; readonly findings: number } & JsonObject);

/** Recomputes what is stored. Answers how many things are wrong. */
export async function verify({ api }: Target, output: Output, options: VerifyOptions): Promise<number> {
  const { items } = await api.get<Page<{ chainId: string }>>('/api/v1/chains');
  const chains = options.chain === undefined ? items.map((chain) => chain.chainId) : [options.chain];
  if (chains.length === 0) output.result({ kind: 'summary', chains: 0, findings: 0 }, () => 'Nothing is captured yet, so nothing is wrong.');
  let wrong = 0;
  for (const chainId of chains) wrong += await verifyChain({ api }, output, chainId, options);
  return wrong;
}

async function verifyChain({ api }: Pick<Target, 'api'>, output: Output, chainId: string, { from, to }: VerifyOptions): Promise<number> {
  const query = new URLSearchParams({ ...(from === undefined ? {} : { from: String(from) }), ...(to === undefined ? {} : { to: String(to) }) });
  const progress = output.progress(`chain ${chainId}`, 'blocks');
  const findings: Extract<VerificationLine, { kind: 'finding' }>[] = [];
  let summary: Extract<VerificationLine, { kind: 'summary' }> | undefined;
  const started = performance.now();
  try {
    for await (const line of api.lines<VerificationLine>(`/api/v1/chains/${chainId}/verification?${query.toString()}`)) {
      if (line.kind === 'progress') {
        const rate = (line.done * 1_000) / (performance.now() - started);
        progress.at(line.done, line.total, { rate, etaSeconds: rate > 0 ? (line.total - line.done) / rate : null });
      } else if (line.kind === 'finding') {
        findings.push(line);
        if (output.json) output.result({ chainId, ...line }, () => '');
      } else summary = line;
    }
  } finally {
    progress.end();
  }
  if (summary === undefined) throw new VerificationCut(chainId);
  const found = Math.max(findings.length, summary.findings);
  for (const { block, code, detail } of findings) output.note(`  ${block === undefined ? '' : `block ${block}: `}${detail} (${code})`);
  const { blocks, transactions } = summary;
  const counted = `${blocks} blocks${transactions === undefined ? '' : `, ${transactions} transactions`}`;
  output.result({ chainId, ...summary }, () => `Chain ${chainId}: ${counted}: ${found === 0 ? 'all as it should be' : `${found} things are wrong`}.`);
  return found;
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
