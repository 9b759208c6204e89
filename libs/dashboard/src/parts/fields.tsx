import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { byteLength, ether, grouped, moment, words } from '../format.ts';
import { Address, Age, Copy, Hash } from './values.tsx';

export function Fields({ children, testId }: { children: ComponentChildren; testId: string }) {
  return <dl class="fields" data-testid={testId}>{children}</dl>;
}

export function Field({ name, children, label = words(name) }: { name: string; label?: string; children: ComponentChildren }) {
  return (
    <div data-field={name}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const WEI = /^(value|gasPrice|effectiveGasPrice|maxFeePerGas|maxPriorityFeePerGas|maxFeePerBlobGas|blobGasPrice|baseFeePerGas|l1Fee)$/;

/** Numbers that are names rather than amounts. */
const PLAIN = /^(chainId|nonce|v|yParity)$/;

/** Two halves of a signature: nobody reads them as amounts, and everybody else writes them so. */
const WORD = /^[rs]$/;

/** Every field that was not shown by its own part, known to this page or not, so that nothing a node said is hidden. */
export function OtherFields({ of, except }: { of: { readonly [field: string]: unknown }; except: readonly string[] }) {
  const shown = new Set(except);
  return (
    <>
      {Object.entries(of).filter(([name, value]) => !shown.has(name) && value !== undefined).map(([name, value]) => (
        <Field key={name} name={name}><AnyValue name={name} value={value} /></Field>
      ))}
    </>
  );
}

export function AnyValue({ name, value }: { name: string; value: unknown }) {
  if (value === null) return <span class="muted">none</span>;
  if (typeof value === 'boolean') return <>{value ? 'yes' : 'no'}</>;
  if (typeof value === 'number') return <><span class="number">{grouped(value)}</span>{name === 'size' && <span class="muted"> bytes</span>}</>;
  if (typeof value === 'string') return <Text name={name} value={value} />;
  if (Array.isArray(value) && value.length === 0) return <span class="muted">empty</span>;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
    return <ul class="plain">{value.map((item, index) => <li key={index}><Text name={name} value={item} /></li>)}</ul>;
  }
  return <Long text={JSON.stringify(value, null, 2)} what={words(name)} />;
}

function Text({ name, value }: { name: string; value: string }) {
  if (/^0x[0-9a-f]{40}$/.test(value)) return <Address value={value} full />;
  if (/^0x[0-9a-f]{64}$/.test(value)) return <Hash value={value} what={words(name)} full />;
  if (/^0x[0-9a-f]{67,}$/.test(value)) return <Hex value={value} what={words(name)} />;
  if (value === '0x') return <span class="muted">empty</span>;
  if (WORD.test(name) && /^\d+$/.test(value)) return <Hash value={`0x${BigInt(value).toString(16).padStart(64, '0')}`} what={name} full />;
  if (PLAIN.test(name)) return <span class="number">{value}</span>;
  if (/^\d+$/.test(value)) return <Amount value={value} wei={WEI.test(name)} />;
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return <>{moment(value)} <span class="muted">(<Age time={value} /> ago)</span></>;
  return value.startsWith('0x') ? <code class="wrap">{value}</code> : <span class="wrap">{value}</span>;
}

function Amount({ value, wei }: { value: string; wei: boolean }) {
  return <><span class="number">{grouped(value)}</span>{wei && <span class="muted"> wei{value.length > 12 ? ` = ${ether(value)} ether` : ''}</span>}</>;
}

export function Hex({ value, what }: { value: string; what: string }) {
  return <><span class="muted">{grouped(byteLength(value))} bytes</span> <Copy text={value} what={what} /><Long text={value} what={what} /></>;
}

const SHOWN_AT_FIRST = 1_200;

/** A box of its own that scrolls; the rest of a very long text only when asked for. */
export function Long({ text, what }: { text: string; what: string }) {
  const [all, setAll] = useState(false);
  const cut = !all && text.length > SHOWN_AT_FIRST;
  return (
    <>
      <pre class="long" tabIndex={0} role="region" aria-label={what}>{cut ? `${text.slice(0, SHOWN_AT_FIRST)}…` : text}</pre>
      {cut && <button type="button" class="plain-button" onClick={() => setAll(true)}>Show all {grouped(text.length)} characters</button>}
    </>
  );
}
