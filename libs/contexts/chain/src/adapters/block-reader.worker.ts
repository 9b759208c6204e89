import { randomUUID } from 'node:crypto';
import { parentPort, type MessagePort } from 'node:worker_threads';
import type { AppendText, Occasion, TextEvent } from '#platform/event-store';
import { enveloped, envelopedText, inAppends, writePackedAppend } from '#platform/event-store';
import type { StreamName } from '#platform/kernel';
import { streamName, systemClock, toErrorMessage } from '#platform/kernel';
import { giveWayToRequests } from '#platform/threads';
import { sendersOfOlder, verifiedBlock } from '../application/block-check.ts';
import { Breath } from '../application/breath.ts';
import { BODY_VERSIONS } from '../application/chain-actors.ts';
import { blockBodyDecider } from '../domain/block-body.decider.ts';
import type { RawAnswer } from '../domain/raw/raw-block.ts';
import { RawBlockReader } from '../domain/raw/raw-block.ts';
import { observeRaw, rawBody } from '../domain/raw/raw-body.ts';
import type { FetchedBlock } from '../domain/rpc-types.ts';
import type { VerificationCrypto } from '../domain/verification/crypto.ts';
import type { VerificationRules } from '../domain/verification/part-rules.ts';
import type { ReadBlock, ReadRequest } from '../ports/block-reader.port.ts';
import type { ChainNodeMetrics } from '../ports/chain-node-metrics.port.ts';
import type { ChainNode } from '../ports/chain-node.port.ts';
import type { FromReader, NodeAddress, ToReader } from './block-reader-messages.ts';
import { connectChainNode } from './connect.chain-node.ts';
import { connectPlan } from './connect-plan.chain-node.ts';
import type { ChainPlan } from './provider-keys.ts';
import { PurseOverPort } from './purse-over-port.ts';
import type { RequestLogger } from './request-log.ts';
import { recoverSender } from './noble.recover-sender.ts';
import { asciiText } from './ascii-text.ts';
import { createKeccak256 } from './hash-wasm.keccak.ts';

giveWayToRequests();
const port = parentPort as MessagePort;
const nodes = new Map<string, ChainNode>();
const reading = new Map<number, AbortController>();
const crypto: VerificationCrypto = { keccak256: await createKeccak256(), recoverSender };
const bodies = blockBodyDecider(crypto.keccak256);
const rawBlocks = new RawBlockReader(crypto, asciiText);

const purse = new PurseOverPort(post);
const log: RequestLogger = {
  debug: (fields, message) => post({ type: 'log', level: 'debug', fields, message }),
  info: (fields, message) => post({ type: 'log', level: 'info', fields, message }),
};

port.on('message', (message: ToReader) => {
  if (message.type === 'permit') return purse.hear(message);
  if (message.type === 'cancel') return reading.get(message.id)?.abort(new Error('no longer wanted'));
  const stop = new AbortController();
  reading.set(message.id, stop);
  void read(message.id, nodeAt(message.node), message.request, stop.signal)
    .then(
      () => post({ type: 'done', id: message.id }),
      (error: unknown) => post({ type: 'done', id: message.id, error: toErrorMessage(error) }),
    )
    .finally(() => reading.delete(message.id));
});

async function read(id: number, node: ChainNode, { chainId, numbers, rules }: ReadRequest, signal: AbortSignal): Promise<void> {
  // Answers to other requests arrive meanwhile, and this one may be cancelled.
  const breath = new Breath();
  const take = (raw: RawAnswer, number: number): ReadBlock | undefined => readRaw(chainId, raw, rules, number);
  for await (const one of node.eachBlock(numbers, signal, take)) {
    if (one === null) return;
    await breath.take();
    signal.throwIfAborted();
    const block = 'observed' in one ? one : readParsed(chainId, one, rules);
    port.postMessage({ type: 'block', id, block } satisfies FromReader, block.body.flatMap(({ text }) => (typeof text === 'string' ? [] : [text.payload.buffer])));
  }
}

function readRaw(chainId: string, raw: RawAnswer, rules: VerificationRules, number: number): ReadBlock | undefined {
  const block = rawBlocks.read(raw, rules, number, sendersOfOlder(number) > 0);
  if (block === undefined) return undefined;
  const write = (stream: StreamName, occasion: Occasion) =>
    rawBody(chainId, block, crypto.keccak256).map((fact, index) => envelopedText(stream, index, BODY_VERSIONS[fact.type], fact, occasion));
  return { observed: observeRaw(chainId, block), bytes: raw.block.length + raw.receipts.length, body: appendsOf(chainId, block.block.hash, write) };
}

function readParsed(chainId: string, fetched: FetchedBlock, rules: VerificationRules): ReadBlock {
  const observed = verifiedBlock(chainId, fetched, rules, crypto, sendersOfOlder(Number(fetched.block.number)));
  const write = (stream: StreamName, occasion: Occasion) => {
    const facts = bodies.decide({ type: 'RecordBody', chainId, fetched }, bodies.initialState(), { now: systemClock.now() });
    return facts.map((fact, index) => enveloped(stream, index, BODY_VERSIONS[fact.type], fact, occasion));
  };
  return { observed, bytes: fetched.bytes, body: appendsOf(chainId, fetched.block.hash, write) };
}

/** As the actor of this body would write it, were nothing of it there. */
function appendsOf(chainId: string, hash: string, write: (stream: StreamName, occasion: Occasion) => readonly TextEvent[]): readonly AppendText[] {
  const causationId = randomUUID();
  const occasion = { recordedAt: new Date(systemClock.now()).toISOString(), correlationId: causationId, causationId };
  const stream = streamName('block', `${chainId}.${hash}`);
  const written = write(stream, occasion);
  if (written.length === 0) return [];
  let revision = -1;
  return inAppends(written).map((events) => {
    const append = writePackedAppend({ stream, expected: revision < 0 ? 'noStream' : revision, events });
    revision += events.length;
    return append;
  });
}

function nodeAt(address: NodeAddress): ChainNode {
  const key = 'url' in address ? `${address.receipts} ${address.url}` : `${address.chainId} ${identityOf(address.plan)}`;
  const known = nodes.get(key);
  if (known !== undefined) return known;
  const limits = address.requestTimeoutMs === undefined ? {} : { limits: { requestTimeoutMs: address.requestTimeoutMs } };
  const around = { clock: systemClock, metrics: told(), ...limits };
  const node = 'url' in address ? connectChainNode(address.url, { ...around, receipts: address.receipts }) : connectPlan(address.plan, { ...around, purse, log, chainId: address.chainId });
  nodes.set(key, node);
  return node;
}

/** Titles, and so names of plans, need not be unique. */
function identityOf({ blocks, receipts, receiptsBy, heads }: ChainPlan): string {
  return [blocks, receipts, heads].map((of) => of?.tariff.provider ?? '-').join(' ') + ` ${receiptsBy}`;
}

/** Calls of a batch are counted one by one at once, and told together. */
function told(): ChainNodeMetrics {
  let last: Parameters<ChainNodeMetrics['call']> | undefined;
  let times = 0;
  const tell = (): void => {
    if (last !== undefined) post({ type: 'call', counted: last, times });
    last = undefined;
    times = 0;
  };
  return {
    call: (...counted) => {
      if (last === undefined) queueMicrotask(tell);
      else if (counted.some((field, at) => field !== last?.[at])) tell();
      last = counted;
      times += 1;
    },
    request: (...counted) => post({ type: 'request', counted }),
  };
}

function post(message: FromReader): void {
  port.postMessage(message);
}
