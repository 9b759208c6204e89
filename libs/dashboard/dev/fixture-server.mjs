import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { extname, join, normalize } from 'node:path';

// `node libs/dashboard/dev/fixture-server.mjs RPC_URL [PORT]`: the routes that the page reads, answered straight from a node
// without any log behind them, for work on the page alone. SIGUSR2 makes it refuse everything until the next SIGUSR2.
const [rpcUrl, port = '0'] = process.argv.slice(2);
const publicDir = fileURLToPath(new URL('../../../dist/libs/dashboard/public', import.meta.url));
const rpc = async (method, ...params) => {
  const response = await fetch(rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
  return (await response.json()).result;
};
const number = (hex) => Number(BigInt(hex));
const hex = (value) => `0x${Number(value).toString(16)}`;
const events = [];
const listeners = new Set();
const reorgs = [];
let chain = [];
const orphans = new Set();
let away = false;
process.on('SIGUSR2', () => { away = !away; if (away) for (const one of listeners) one.end(); });

const kindOf = (tx) => (tx.to === null || tx.to === undefined ? 'deploy' : tx.input === '0x' ? 'transfer' : 'call');
const kindsOf = (block) => block.transactions.reduce((kinds, tx) => ({ ...kinds, [kindOf(tx)]: kinds[kindOf(tx)] + 1 }), { transfer: 0, call: 0, deploy: 0 });
const verification = { header: 'verified', transactions: 'verified', receipts: 'verified', withdrawals: 'verified', senders: 'verified' };

function emit(type, data) {
  const position = String(events.length + 1).padStart(8, '0');
  const event = { id: position, type, stream: 'chain-31337', revision: events.length, position, occurredAt: new Date().toISOString(), recordedAt: new Date().toISOString(), data };
  events.push(event);
  for (const one of listeners) one.write(`id: ${position}\ndata: ${JSON.stringify(event)}\n\n`);
}
const observed = ({ transactions, ...header }, block) => ({ chainId: '31337', number: number(block.number), hash: block.hash, parentHash: block.parentHash, header, transactionCount: block.transactions.length, kinds: kindsOf(block), verification, receipts: true });

async function follow() {
  let marks = '';
  for (;;) {
    try {
      const latest = await rpc('eth_getBlockByNumber', 'latest', false);
      const branch = [];
      let at = latest;
      while (at && at.hash !== chain[number(at.number)]?.hash) {
        branch.unshift(await rpc('eth_getBlockByHash', at.hash, true));
        at = number(at.number) === 0 ? undefined : await rpc('eth_getBlockByHash', at.parentHash, false);
      }
      const dropped = at ? chain.slice(number(at.number) + 1) : [];
      if (dropped.length > 0) {
        const ref = (block) => ({ number: number(block.number), hash: block.hash });
        for (const block of branch) emit('BranchBlockObserved', observed(block, block));
        for (const block of dropped) orphans.add(block.hash);
        const reorg = { ancestor: ref(at), dropped: dropped.map(ref), adopted: branch.map(ref), depth: dropped.length, at: new Date().toISOString() };
        reorgs.unshift(reorg);
        chain = [...chain.slice(0, number(at.number) + 1), ...branch];
        emit('ChainReorganized', reorg);
      } else {
        for (const block of branch) { chain.push(block); emit('BlockObserved', observed(block, block)); }
      }
      const [safe, finalized] = [await rpc('eth_getBlockByNumber', 'safe', false), await rpc('eth_getBlockByNumber', 'finalized', false)];
      if (safe.hash + finalized.hash !== marks) {
        marks = safe.hash + finalized.hash;
        emit('BlocksSafe', { number: number(safe.number), hash: safe.hash });
        emit('BlocksFinalized', { number: number(finalized.number), hash: finalized.hash });
      }
    } catch {}
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

const QUANTITIES = new Set(['gasLimit', 'gasUsed', 'difficulty', 'totalDifficulty', 'baseFeePerGas', 'blobGasUsed', 'excessBlobGas', 'value', 'gas', 'gasPrice', 'maxFeePerGas', 'maxPriorityFeePerGas', 'maxFeePerBlobGas', 'effectiveGasPrice', 'cumulativeGasUsed', 'blobGasPrice', 'chainId', 'v', 'yParity']);
const INTEGERS = new Set(['number', 'blockNumber', 'transactionIndex', 'size', 'type', 'logIndex']);
const api = (object) => Object.fromEntries(Object.entries(object).map(([field, value]) => [field,
  typeof value !== 'string' ? value : QUANTITIES.has(field) ? BigInt(value).toString() : INTEGERS.has(field) ? number(value) : field.toLowerCase().endsWith('timestamp') ? new Date(number(value) * 1000).toISOString() : value]));
const mark = (depth) => chain[Math.max(0, chain.length - 1 - depth)];
const finality = (n, hash) => (orphans.has(hash) ? 'orphaned' : n <= number(mark(32).number) ? 'finalized' : n <= number(mark(16).number) ? 'safe' : 'canonical');
const blockAnswer = ({ transactions, ...header }) => { const answer = api(header); return { ...answer, transactionCount: transactions.length, kinds: kindsOf({ transactions }), finality: finality(answer.number, answer.hash), verified: true, verification }; };
const point = (block) => ({ number: number(block.number), hash: block.hash, timestamp: new Date(number(block.timestamp) * 1000).toISOString() });
const asOf = () => events.at(-1)?.position ?? '0';

async function blockOf(ref) {
  if (ref.startsWith('0x')) return rpc('eth_getBlockByHash', ref, true);
  return /^\d+$/.test(ref) ? chain[Number(ref)] : rpc('eth_getBlockByNumber', ref, true);
}
async function rows(block) {
  const receipts = await rpc('eth_getBlockReceipts', block.hash);
  return block.transactions.map((tx, index) => ({ ...api(tx), nonce: BigInt(tx.nonce).toString(), index, kind: kindOf(tx), contractAddress: receipts[index]?.contractAddress ?? undefined, gasUsed: receipts[index] ? BigInt(receipts[index].gasUsed).toString() : undefined, status: receipts[index]?.status === '0x1' ? 'success' : 'reverted', finality: finality(number(block.number), block.hash), timestamp: point(block).timestamp }));
}
function page(items, url) {
  const limit = Number(url.searchParams.get('limit') ?? 50);
  const from = Number(url.searchParams.get('after') ?? 0);
  return { items: items.slice(from, from + limit), next: from + limit < items.length ? String(from + limit) : null, asOf: asOf() };
}
const started = Date.now();
function backfillNow() {
  const done = Math.min(120_000, Math.floor((Date.now() - started) / 10) + 20_000);
  return { id: '0-119999', from: 0, to: 119_999, state: done < 120_000 ? 'running' : 'finished', done, total: 120_000, percent: Math.floor(done / 1_200), blocksPerSecond: 100.4, etaSeconds: Math.ceil((120_000 - done) / 100), requestedAt: new Date(started).toISOString() };
}

async function answer(url) {
  const parts = url.pathname.split('/').slice(3);
  if (parts[0] === 'projections') return { items: [{ name: 'chain-explorer', state: 'live', version: 1, generation: 1, position: asOf(), lagEvents: 0, lagSeconds: 0, parkedKeys: 0 }, { name: 'daily-volumes', state: 'building', version: 2, generation: 2, position: asOf(), lagEvents: 18234, lagSeconds: 42, parkedKeys: 1 }], asOf: asOf() };
  const summary = () => ({ chainId: '31337', name: 'Demo chain', status: globalThis.status ?? 'following', head: point(chain.at(-1)), safe: point(mark(16)), finalized: point(mark(32)), startBlock: 0, blocks: chain.length, transactions: chain.reduce((sum, block) => sum + block.transactions.length, 0), reorgs: reorgs.length });
  if (parts.length === 1) return { items: [summary(), { ...summary(), chainId: '10', name: 'Another chain', status: 'stalled', reason: 'The node is ahead by 12 blocks and has not answered for 41 s (https://rpc.example.org): connection refused.' }], asOf: asOf() };
  if (parts.length === 2) return summary();
  if (parts[2] === 'reorgs') return page(reorgs, url);
  if (parts[2] === 'backfills') return page([backfillNow()], url);
  if (parts[2] === 'blocks' && parts.length === 3) return page(chain.map(blockAnswer).reverse(), url);
  if (parts[2] === 'blocks') {
    const block = await blockOf(parts[3]);
    if (!block) return undefined;
    return parts[4] === 'transactions' ? page(await rows(block), url) : { ...blockAnswer(block), asOf: asOf() };
  }
  if (parts[2] === 'transactions') {
    const [tx, receipt] = [await rpc('eth_getTransactionByHash', parts[3]), await rpc('eth_getTransactionReceipt', parts[3])];
    if (!tx) return undefined;
    return { ...api(tx), ...api(receipt), nonce: BigInt(tx.nonce).toString(), logs: receipt.logs.map(api), status: receipt.status === '0x1' ? 'success' : 'reverted', kind: kindOf(tx), receipt: 'captured', finality: finality(number(tx.blockNumber), tx.blockHash), asOf: asOf() };
  }
  if (parts[2] === 'addresses') {
    const blocks = chain.slice(-60).filter((block) => block.transactions.some((tx) => tx.from === parts[3] || tx.to === parts[3]));
    return page((await Promise.all(blocks.map(rows))).flat().filter((tx) => tx.from === parts[3] || tx.to === parts[3]).reverse(), url);
  }
  return undefined;
}

function live(request, response, url) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const after = request.headers['last-event-id'] ?? url.searchParams.get('after') ?? '0';
  response.write('retry: 1000\n\n');
  for (const event of events) if (event.position > after) response.write(`id: ${event.position}\ndata: ${JSON.stringify(event)}\n\n`);
  listeners.add(response);
  response.on('close', () => listeners.delete(response));
}

const MIME = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const server = createServer(async (request, response) => {
  if (away) return request.socket.destroy();
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/api/v1/events/live') return live(request, response, url);
  if (url.pathname.startsWith('/api/v1/')) {
    const body = await answer(url).catch(() => undefined);
    response.writeHead(body ? 200 : 404, { 'content-type': body ? 'application/json' : 'application/problem+json' });
    return response.end(JSON.stringify(body ?? { title: 'Not found', status: 404, detail: `Nothing is captured at ${url.pathname}.`, code: 'not-found' }));
  }
  const file = extname(url.pathname) === '' ? 'index.html' : normalize(url.pathname).replace(/^(\.\.[/\\])+/, '');
  const content = await readFile(join(publicDir, file)).catch(() => undefined);
  response.writeHead(content ? 200 : 404, { 'content-type': MIME[extname(file)] ?? 'application/octet-stream', 'content-security-policy': "default-src 'self'" });
  return response.end(content);
});
void follow();
server.listen(Number(port), '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}\n`));
