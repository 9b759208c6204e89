import type { SeenCall } from '../load/replay-faults.ts';

type Fields = Record<string, any>;

export interface Lie {
  readonly name: string;
  readonly concerns: (call: SeenCall) => boolean;
  readonly edit: (result: any) => unknown;
  /** At most so often: more would be an alarm that rightly stops the chain. */
  readonly most?: number;
}

const NOWHERE = `0x${'ab'.repeat(32)}`;

const fullBlock = ({ method, params }: SeenCall): boolean => (method === 'eth_getBlockByHash' || method === 'eth_getBlockByNumber') && params[1] === true;
const receipts = ({ method }: SeenCall): boolean => method === 'eth_getBlockReceipts';
const header = (ref: string) => ({ method, params }: SeenCall): boolean => method === 'eth_getBlockByNumber' && params[0] === ref && params[1] !== true;

function ofBlock(name: string, change: (block: Fields) => Fields): Lie {
  return { name: `block: ${name}`, concerns: fullBlock, edit: (block: Fields | null) => (block === null ? null : { ...block, ...change(block) }) };
}

/** Of the first transaction; of a block that has none, the gas limit. */
function ofTransaction(name: string, change: (transaction: Fields) => Fields): Lie {
  return ofBlock(`transaction ${name}`, ({ transactions }) => {
    const [first, ...others] = transactions as Fields[];
    return first === undefined ? { gasLimit: '0x1' } : { transactions: [{ ...first, ...change(first) }, ...others] };
  });
}

function ofReceipts(name: string, change: (list: Fields[]) => Fields[]): Lie {
  return { name: `receipts: ${name}`, concerns: receipts, edit: (list: Fields[] | null) => (list === null ? null : change(list)) };
}

function ofLogs(name: string, change: (logs: Fields[]) => Fields[]): Lie {
  return ofReceipts(`logs ${name}`, (list) => list.map((one) => ({ ...one, logs: change(one['logs'] as Fields[]) })));
}

function ofHeader(name: string, ref: string, change: Fields): Lie {
  return { name: `header of ${ref}: ${name}`, concerns: header(ref), edit: (found: Fields | null) => (found === null ? null : { ...found, ...change }) };
}

/** One field each, in what is recorded. None passes, whoever tells it. */
export const CONTENT_LIES: readonly Lie[] = [
  ofBlock('gas limit', () => ({ gasLimit: '0x1' })),
  ofBlock('state root', () => ({ stateRoot: NOWHERE })),
  ofBlock('parent', () => ({ parentHash: NOWHERE })),
  ofBlock('time', () => ({ timestamp: '0x1' })),
  ofBlock('hash', () => ({ hash: NOWHERE })),
  ofBlock('bloom', () => ({ logsBloom: `0x${'01'.repeat(256)}` })),
  ofBlock('no transactions', () => ({ transactions: [], gasLimit: '0x1' })),
  ofBlock('one transaction less', ({ transactions }) => (transactions.length === 0 ? { gasLimit: '0x1' } : { transactions: (transactions as Fields[]).slice(0, -1) })),
  ofBlock('another order', ({ transactions }) => (transactions.length < 2 ? { gasLimit: '0x1' } : { transactions: [...(transactions as Fields[])].reverse() })),
  ofTransaction('value', () => ({ value: '0xdead' })),
  ofTransaction('input', () => ({ input: '0xdead' })),
  ofTransaction('receiver', () => ({ to: `0x${'de'.repeat(20)}` })),
  ofTransaction('nonce', () => ({ nonce: '0xdead' })),
  ofTransaction('hash', () => ({ hash: NOWHERE })),
  ofReceipts('one less', (list) => list.slice(1)),
  ofReceipts('status', (list) => list.map((one) => ({ ...one, status: '0x0' }))),
  ofReceipts('gas', (list) => list.map((one) => ({ ...one, cumulativeGasUsed: '0x1' }))),
  ofLogs('data', (logs) => logs.map((log) => ({ ...log, data: '0x00' }))),
  ofLogs('topic', (logs) => logs.map((log) => ({ ...log, topics: [NOWHERE] }))),
  ofLogs('one less', (logs) => logs.slice(1)),
];

/** One field each, in what is recorded or in what capture steers by. */
export const LIES: readonly Lie[] = [
  ...CONTENT_LIES,
  ofHeader('hash', 'latest', { hash: NOWHERE }),
  ofHeader('parent', 'latest', { parentHash: NOWHERE }),
  ofHeader('number ahead', 'latest', { number: '0x40' }),
  ofHeader('number far ahead', 'latest', { number: '0xffffff' }),
  ofHeader('hash', 'finalized', { hash: NOWHERE }),
  ofHeader('hash', 'safe', { hash: NOWHERE }),
  { ...ofHeader('hash', '0x0', { hash: NOWHERE }), most: 1 },
];
