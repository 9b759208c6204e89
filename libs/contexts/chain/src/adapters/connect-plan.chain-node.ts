import { costOfPush, type KeyPurse, type SpendingLane } from '#contracts/key-pool';
import type { Clock } from '#platform/kernel';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import { JsonRpcChainNode } from './json-rpc.chain-node.ts';
import { KeyConnections } from './key-connections.ts';
import { PooledTransport } from './pooled.chain-node-transport.ts';
import type { ChainPlan, ProviderKeys } from './provider-keys.ts';
import { RequestLog, type RequestLogger } from './request-log.ts';
import type { WebSocketLimits } from './websocket.chain-node-transport.ts';

export interface PlanOptions {
  readonly purse: KeyPurse;
  readonly clock: Clock;
  readonly metrics: ChainNodeMetrics;
  readonly log: RequestLogger;
  /** Decimal; empty where it is not known yet. */
  readonly chainId: string;
  readonly limits?: Partial<WebSocketLimits>;
}

/** An answer that comes later than this was lost: providers answer within a second or two, and a key waits for it meanwhile. */
const ANSWERED_WITHIN_MS = 15_000;

/** A node that is asked as the plan says, on the keys of its providers. */
export function connectPlan(plan: ChainPlan, { purse, clock, metrics, log, chainId, limits }: PlanOptions): ChainNode {
  const connections = new Map<ProviderKeys, KeyConnections>();
  const logs = new Map<ProviderKeys, RequestLog>();
  const transports = new Map<string, PooledTransport>();
  const connectionsOf = ({ tariff, keys }: ProviderKeys): KeyConnections =>
    new KeyConnections({
      title: tariff.title,
      keys,
      clock,
      limits: { requestTimeoutMs: ANSWERED_WITHIN_MS, ...limits },
      pushed: (alias, bytes) => purse.accrue(alias, costOfPush(tariff, bytes), chainId, 'newHeads'),
    });
  const at = (provider: ProviderKeys, lane: SpendingLane): PooledTransport => {
    const name = `${lane} ${provider.tariff.provider}`;
    const known = transports.get(name);
    if (known !== undefined) return known;
    const own = connections.get(provider) ?? connectionsOf(provider);
    connections.set(provider, own);
    const requests = logs.get(provider) ?? new RequestLog(log, clock);
    logs.set(provider, requests);
    const transport = new PooledTransport({ tariff: provider.tariff, connections: own, purse, lane, chainId, log: requests });
    transports.set(name, transport);
    return transport;
  };
  const { blocks, receipts = blocks, heads = blocks } = plan;
  return new JsonRpcChainNode({
    transport: at(blocks, 'head'),
    label: plan.name,
    receipts: plan.receipts !== undefined,
    receiptsFrom: at(receipts, 'head'),
    receiptsByTransaction: plan.receiptsBy === 'transaction',
    ranges: { transport: at(blocks, 'backfill'), receiptsFrom: at(receipts, 'backfill') },
    headsFrom: at(heads, 'head'),
    clock,
    metrics,
  });
}
