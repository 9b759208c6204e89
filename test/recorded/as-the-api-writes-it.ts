/**
 * A node's answer in the form that design and README promise for the API, stated a second time and without any code of
 * the product: numbers of blocks, indexes, types and sizes are integers, other quantities decimal text of any size, times
 * ISO 8601, all else as the node wrote it. A field that is named nowhere here throws: no test passes over it in silence.
 */
export type Fields = Readonly<Record<string, unknown>>;

type Form = 'integer' | 'quantity' | 'time' | 'same' | Forms;
interface Forms {
  readonly [field: string]: Form;
}

const WITHDRAWAL = forms({ integer: 'index validatorIndex', quantity: 'amount', same: 'address' });
const AUTHORIZATION = forms({ quantity: 'chainId nonce yParity r s', same: 'address' });
const LOG = forms({ integer: 'blockNumber transactionIndex logIndex', time: 'blockTimestamp', same: 'address topics data blockHash transactionHash removed' });
const BLOCK = forms({
  integer: 'number size',
  quantity: 'difficulty gasLimit gasUsed baseFeePerGas blobGasUsed excessBlobGas',
  time: 'timestamp',
  same: 'hash parentHash sha3Uncles miner stateRoot transactionsRoot receiptsRoot logsBloom extraData mixHash nonce uncles withdrawalsRoot parentBeaconBlockRoot requestsHash',
}, { withdrawals: WITHDRAWAL });
const TRANSACTION = forms({
  integer: 'blockNumber transactionIndex type',
  quantity: 'chainId nonce value gas gasPrice maxFeePerGas maxPriorityFeePerGas maxFeePerBlobGas v yParity r s',
  time: 'blockTimestamp',
  same: 'hash blockHash from to input accessList blobVersionedHashes',
}, { authorizationList: AUTHORIZATION });
const RECEIPT = forms({
  integer: 'blockNumber transactionIndex type',
  quantity: 'gasUsed cumulativeGasUsed effectiveGasPrice blobGasUsed blobGasPrice',
  same: 'transactionHash blockHash from to root contractAddress logsBloom status',
}, { logs: LOG });

export function blockAsWritten({ transactions, ...header }: Fields): Fields {
  const kinds = { transfer: 0, call: 0, deploy: 0 };
  for (const transaction of transactions as Fields[]) kinds[kindOf(transaction)] += 1;
  return { ...written(header, BLOCK), transactionCount: (transactions as unknown[]).length, kinds };
}

/** Transaction and receipt as the one object of the transaction's own page. */
export function transactionAsWritten(transaction: Fields, receipt: Fields): Fields {
  const sent = written(transaction, TRANSACTION);
  const { transactionHash, status, ...outcome } = written(receipt, RECEIPT);
  if (transactionHash !== sent['hash']) throw new Error(`the receipt of ${String(transactionHash)} is not of ${String(sent['hash'])}`);
  for (const field of Object.keys(outcome)) {
    if (field in sent && outcome[field] !== sent[field]) throw new Error(`the receipt has another ${field} than its transaction`);
  }
  return { ...sent, ...outcome, kind: kindOf(transaction), receipt: 'captured', status: STATUS[String(status)] };
}

const SUMMARY = ['hash', 'kind', 'blockNumber', 'blockHash', 'type', 'from', 'to', 'contractAddress', 'value', 'input', 'nonce', 'gas', 'gasUsed', 'status'];

export function summaryAsWritten(transaction: Fields, receipt: Fields): Fields {
  const whole = transactionAsWritten(transaction, receipt);
  return { ...Object.fromEntries(SUMMARY.map((field) => [field, whole[field]])), index: whole['transactionIndex'] };
}

/** A receipt before Byzantium has no status. */
const STATUS: Readonly<Record<string, string | null>> = { '0x1': 'success', '0x0': 'reverted', undefined: null };

function kindOf({ to, input }: Fields): 'transfer' | 'call' | 'deploy' {
  if (to === null) return 'deploy';
  return input === '0x' ? 'transfer' : 'call';
}

function forms(named: { readonly [form in 'integer' | 'quantity' | 'time' | 'same']?: string }, nested: Forms = {}): Forms {
  return { ...Object.fromEntries(Object.entries(named).flatMap(([form, fields]) => fields.split(' ').map((field) => [field, form as Form]))), ...nested };
}

function written(object: Fields, by: Forms): Fields {
  return Object.fromEntries(Object.entries(object).map(([field, value]) => [field, writtenValue(field, value, by[field])]));
}

function writtenValue(field: string, value: unknown, form: Form | undefined): unknown {
  switch (form) {
    case undefined:
      throw new Error(`nobody said how the API writes ${field}`);
    case 'integer':
      return Number(value);
    case 'quantity':
      return BigInt(value as string).toString();
    case 'time':
      return new Date(Number(value) * 1000).toISOString();
    case 'same':
      return value;
    default:
      return (value as Fields[]).map((item) => written(item, form));
  }
}
