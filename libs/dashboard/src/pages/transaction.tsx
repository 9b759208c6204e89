import type { Block, Log, Transaction } from '../api/answers.ts';
import { chainPath } from '../api/client.ts';
import { ether, grouped, moment } from '../format.ts';
import { useLive, useResource } from '../state/hooks.ts';
import { AnyValue, Field, Fields, Hex, OtherFields } from '../parts/fields.tsx';
import { Empty, Loading, Panel, Trouble } from '../parts/notice.tsx';
import { Address, Age, BlockLink, FinalityBadge, Hash, KindBadge, StatusBadge, Value } from '../parts/values.tsx';

const OWN = [
  'hash', 'kind', 'blockNumber', 'blockHash', 'transactionIndex', 'index', 'status', 'finality', 'from', 'to', 'contractAddress', 'value', 'type',
  'input', 'logs', 'logsBloom', 'receipt', 'inclusions', 'extra', 'asOf', 'gas', 'gasUsed', 'blockTimestamp', 'timestamp',
];

export function TransactionPage({ hash }: { hash: string }) {
  const { chain, reorgs } = useLive();
  const version = `${chain?.safe?.number}/${chain?.finalized?.number}/${reorgs[0]?.at}`;
  const { data, error } = useResource<Transaction>(chainPath(chain?.chainId ?? '', `/transactions/${encodeURIComponent(hash)}`), { version });
  if (data === undefined) return error ? <Trouble error={error} what="transaction" /> : <Loading what="the transaction" />;
  const withoutReceipt = data.receipt === 'not-captured';
  return (
    <article data-testid="transaction-page">
      <header class="page-head">
        <div>
          <p class="eyebrow">Transaction</p>
          <h1 class="title-hash"><Hash value={data.hash} full what="transaction hash" /></h1>
        </div>
        <p class="badges"><KindBadge kind={data.kind} /> {withoutReceipt ? <span class="badge">receipt not captured</span> : <StatusBadge status={data.status} />} <FinalityBadge finality={data.finality} /></p>
        {data.finality === 'orphaned' && <p class="warning">A reorg dropped the block that held this transaction.</p>}
      </header>
      <div class="grid">
        <Panel id="transaction-fields" title="Transaction" wide><TransactionFields transaction={data} /></Panel>
        {(data.inclusions?.length ?? 0) > 1 && <Panel id="inclusions" title="Stood in more than one block" wide><Inclusions transaction={data} /></Panel>}
        {!withoutReceipt && <Panel id="logs" title={`Logs (${grouped(data.logs?.length ?? 0)})`} wide><Logs logs={data.logs ?? []} /></Panel>}
      </div>
    </article>
  );
}

const TYPES: { readonly [type: number]: string } = { 0: 'legacy', 1: 'access list', 2: 'fee market', 3: 'blob', 4: 'set code' };

function TransactionFields({ transaction }: { transaction: Transaction }) {
  const { type, from, to, contractAddress, input, extra } = transaction;
  return (
    <Fields testId="fields">
      <Field name="blockNumber" label="Block"><BlockLink number={transaction.blockNumber} hash={transaction.blockHash} /> <span class="muted">at index {transaction.transactionIndex}</span></Field>
      <Time transaction={transaction} />
      {type !== undefined && <Field name="type"><span class="number">{type}</span> <span class="muted">{TYPES[type] ?? 'not one of the known types'}</span></Field>}
      {from !== undefined && <Field name="from"><Address value={from} full /></Field>}
      <Field name="to">{typeof to === 'string' ? <Address value={to} full /> : <span class="muted">none: this transaction deploys a contract</span>}</Field>
      {typeof contractAddress === 'string' && <Field name="contractAddress"><Address value={contractAddress} full /></Field>}
      <Field name="value"><Value wei={transaction.value} exact /> <span class="muted">ether</span></Field>
      {typeof transaction['gasUsed'] === 'string' && <Field name="gasUsed"><span class="number">{grouped(transaction['gasUsed'])}</span> {typeof transaction['gas'] === 'string' && <span class="muted">of {grouped(transaction['gas'])}</span>}</Field>}
      {typeof transaction['gasUsed'] !== 'string' && transaction['gas'] !== undefined && <Field name="gas"><AnyValue name="gas" value={transaction['gas']} /></Field>}
      <Fee transaction={transaction} />
      <OtherFields of={transaction} except={OWN} />
      {input !== undefined && <Field name="input">{input === '0x' ? <span class="muted">empty</span> : <Hex value={input} what="Input" />}</Field>}
      {typeof transaction['logsBloom'] === 'string' && <Field name="logsBloom"><details><summary>Show</summary><Hex value={transaction['logsBloom']} what="Logs bloom" /></details></Field>}
      {extra !== undefined && <Field name="extra" label="Fields unknown to chainfold"><AnyValue name="extra" value={extra} /></Field>}
    </Fields>
  );
}

/** Not every node tells a transaction's time; its block always does. */
function Time({ transaction }: { transaction: Transaction }) {
  const { chain } = useLive();
  const told = [transaction['blockTimestamp'], transaction.timestamp].find((time) => typeof time === 'string');
  const block = useResource<Block>(told === undefined ? chainPath(chain?.chainId ?? '', `/blocks/${transaction.blockHash}`) : undefined);
  const time = told ?? block.data?.timestamp;
  return <Field name="blockTimestamp" label="Time">{time === undefined ? <span class="muted">unknown</span> : <>{moment(time)} <span class="muted">(<Age time={time} /> ago)</span></>}</Field>;
}

/** What the sender paid for the gas. Rollups take more beside it, so their own fields stand below. */
function Fee({ transaction }: { transaction: Transaction }) {
  const { gasUsed, effectiveGasPrice } = transaction;
  if (![gasUsed, effectiveGasPrice].every((text) => typeof text === 'string' && /^\d+$/.test(text))) return null;
  const fee = (BigInt(gasUsed as string) * BigInt(effectiveGasPrice as string)).toString();
  return <Field name="fee" label="Fee for gas"><span class="number" title={`${grouped(fee)} wei`}>{ether(fee)}</span> <span class="muted">ether (gas used × effective gas price)</span></Field>;
}

function Inclusions({ transaction }: { transaction: Transaction }) {
  return (
    <ul class="inclusions" data-testid="inclusion-list">
      {(transaction.inclusions ?? []).map((inclusion) => (
        <li key={inclusion.blockHash}><BlockLink number={inclusion.blockNumber} hash={inclusion.blockHash} /> <span class="muted">at index {inclusion.transactionIndex}</span> <FinalityBadge finality={inclusion.finality} /></li>
      ))}
    </ul>
  );
}

/** keccak256 of signatures that nearly every chain is full of; a contract may still mean something else by them. */
const SIGNATURES: { readonly [topic: string]: string } = {
  '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef': 'Transfer(address,address,uint256)',
  '0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925': 'Approval(address,address,uint256)',
  '0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62': 'TransferSingle(address,address,address,uint256,uint256)',
};

function Logs({ logs }: { logs: readonly Log[] }) {
  if (logs.length === 0) return <Empty>This transaction left no logs.</Empty>;
  return (
    <ol class="logs" data-testid="log-list">
      {logs.map((log, index) => (
        <li key={index} data-testid="log">
          <Fields testId="log-fields">
            <Field name="address"><span class="log-index" title="Log index within the block">{log.logIndex ?? index}</span> <Address value={log.address} full /></Field>
            {SIGNATURES[log.topics[0] ?? ''] !== undefined && <Field name="event"><code class="wrap">{SIGNATURES[log.topics[0] ?? '']}</code></Field>}
            <Field name="topics"><ol class="plain topics" start={0}>{log.topics.map((topic, place) => <li key={place}><Hash value={topic} full what={`topic ${place}`} /></li>)}</ol></Field>
            <Field name="data">{log.data === '0x' ? <span class="muted">empty</span> : <Hex value={log.data} what="Data" />}</Field>
          </Fields>
        </li>
      ))}
    </ol>
  );
}
