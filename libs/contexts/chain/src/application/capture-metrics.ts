import type { Metrics } from '#platform/observability';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';
import type { CaptureMetrics } from './capture-log.ts';
import type { CaptureStatusBoard } from './capture-status.ts';

const BATCH_CALLS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] as const;

/** What capturing counts, under the names that dashboards and alarms rely on. */
export function captureMetrics(metrics: Metrics): CaptureMetrics {
  const blocks = metrics.counter('chainfold_chain_blocks_total', 'Blocks captured at the head: verified and durable.', ['chain']);
  const transactions = metrics.counter('chainfold_chain_transactions_total', 'Transactions of those blocks.', ['chain']);
  const lag = metrics.histogram('chainfold_chain_capture_lag_seconds', 'From the notice of a new head until its block is durable.', ['chain']);
  const reorgs = metrics.counter('chainfold_chain_reorgs_total', 'Reorganisations and rollbacks followed.', ['chain']);
  const depth = metrics.histogram('chainfold_chain_reorg_depth_blocks', 'Blocks that a reorganisation dropped.', ['chain'], [1, 2, 3, 6, 12, 24, 64, 128]);
  const mismatches = metrics.counter('chainfold_chain_verification_failures_total', 'Answers of nodes that did not recompute, and were not recorded.', ['chain', 'part']);
  const backfilled = metrics.counter('chainfold_chain_backfilled_blocks_total', 'Blocks captured by backfills.', ['chain']);
  const backfilledTransactions = metrics.counter('chainfold_chain_backfilled_transactions_total', 'Transactions of those blocks.', ['chain']);
  const switches = metrics.counter('chainfold_chain_provider_changes_total', 'Times that another provider was taken.', ['chain', 'provider']);
  return {
    captured: (chain, count, transactionCount, lagMs) => {
      blocks.add(count, { chain });
      transactions.add(transactionCount, { chain });
      if (lagMs !== undefined) lag.observe(lagMs / 1_000, { chain });
    },
    reorganized: (chain, dropped) => {
      reorgs.inc({ chain });
      depth.observe(dropped, { chain });
    },
    verificationFailed: (chain, part) => mismatches.inc({ chain, part }),
    backfilled: (chain, count, transactionCount) => {
      backfilled.add(count, { chain });
      backfilledTransactions.add(transactionCount, { chain });
    },
    providerChanged: (chain, provider) => switches.inc({ chain, provider }),
  };
}

/** What is asked of nodes: each call costs. */
export function nodeMetrics(metrics: Metrics): ChainNodeMetrics {
  const calls = metrics.counter('chainfold_rpc_calls_total', 'JSON-RPC calls, by how they ended.', ['provider', 'method', 'result']);
  const requests = metrics.counter('chainfold_rpc_requests_total', 'Requests over the wire; a batch is one.', ['provider']);
  const seconds = metrics.histogram('chainfold_rpc_request_duration_seconds', 'Of a request over the wire.', ['provider']);
  const bytes = metrics.counter('chainfold_rpc_received_bytes_total', 'Bytes of answers.', ['provider']);
  const batch = metrics.histogram('chainfold_rpc_batch_calls', 'Calls of a request.', ['provider'], BATCH_CALLS);
  return {
    call: (provider, method, result) => calls.inc({ provider, method, result }),
    request: (provider, count, received, milliseconds, sent = 1) => {
      requests.add(sent, { provider });
      seconds.observe(milliseconds / 1_000, { provider });
      bytes.add(received, { provider });
      batch.observe(count / sent, { provider });
    },
  };
}

/** Who reads: this process, or workers of it. */
export function readMetrics(metrics: Metrics, jobs: { readonly workers: number; readonly held: number }): (where: 'here' | 'worker') => void {
  const blocks = metrics.counter('chainfold_chain_read_blocks_total', 'Blocks read away from the thread that serves, by which process.', ['where']);
  metrics.observed('chainfold_chain_workers', 'Worker processes that take reading jobs.', [], () => [{ value: jobs.workers, labels: {} }]);
  metrics.observed('chainfold_chain_worker_jobs', 'Reading jobs in the hands of workers.', [], () => [{ value: jobs.held, labels: {} }]);
  return (where) => blocks.inc({ where });
}

/** Where each chain stands; the ages come from whoever knows the captured head. */
export function observeChains(metrics: Metrics, board: CaptureStatusBoard, headAges: () => Promise<readonly { readonly chainId: string; readonly ageSeconds: number; readonly head: number }[]>): void {
  metrics.observed('chainfold_chain_head_age_seconds', 'Since the timestamp of the captured head.', ['chain'], async () =>
    (await headAges()).map(({ chainId, ageSeconds }) => ({ value: ageSeconds, labels: { chain: chainId } })),
  );
  metrics.observed('chainfold_chain_head_block_number', 'Of the captured head.', ['chain'], async () =>
    (await headAges()).map(({ chainId, head }) => ({ value: head, labels: { chain: chainId } })),
  );
  metrics.observed('chainfold_chain_node_head_block_number', 'Highest block that a node told of.', ['chain'], () =>
    [...board.all()].flatMap(([chain, { nodeHead }]) => (nodeHead === undefined ? [] : [{ value: nodeHead, labels: { chain } }])),
  );
  metrics.observed('chainfold_chain_following', 'Whether the head is being followed.', ['chain'], () =>
    [...board.all()].map(([chain, { state }]) => ({ value: state === 'following' || state === 'backfilling' ? 1 : 0, labels: { chain } })),
  );
}
