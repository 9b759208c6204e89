import { useState } from 'preact/hooks';
import type { Finality, Kind } from '../api/answers.ts';
import { age, ether, grouped, moment, shortEther, shorten } from '../format.ts';
import { Link, useHref } from '../routing.tsx';
import { useNow } from '../state/hooks.ts';

export function Copy({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  const copy = (): void => {
    // Absent on plain http off the loopback interface; the text itself can still be selected.
    void navigator.clipboard?.writeText(text).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 1_200);
    });
  };
  return (
    <button type="button" class="copy" onClick={copy} aria-label={copied ? `Copied ${what}` : `Copy ${what}`} title={`Copy ${what}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        {copied ? <path d="M3 8.5 6.5 12 13 4.5" /> : <path d="M5.5 5.5V3h7.5v7.5h-2.5M3 5.5h7.5V13H3z" />}
      </svg>
    </button>
  );
}

/** Whole where there is room, shortened in the middle where not; always whole for copying and in the tooltip. */
export function Hash({ value, to, what = 'hash', full = false, copy = full }: { value: string; to?: string; what?: string; full?: boolean; copy?: boolean }) {
  const text = full ? (
    <>
      <span class="hash-full">{value}</span>
      <span class="hash-short">{shorten(value, 10, 8)}</span>
    </>
  ) : (
    shorten(value)
  );
  return (
    <span class="hash" title={value}>
      {to === undefined ? <code>{text}</code> : <Link href={to}><code>{text}</code></Link>}
      {copy && <Copy text={value} what={what} />}
    </span>
  );
}

export function Address({ value, full = false }: { value: string; full?: boolean }) {
  const href = useHref();
  return <Hash value={value} to={href(`/address/${value}`)} what="address" full={full} />;
}

export function BlockLink({ number, hash }: { number: number; hash?: string }) {
  const href = useHref();
  return <Link class="number" href={href(`/blocks/${hash ?? number}`)}>{grouped(number)}</Link>;
}

export function KindBadge({ kind }: { kind: Kind }) {
  return <span class={`badge kind-${kind}`}>{kind}</span>;
}

const FINALITY_TEXT: { readonly [finality in Finality]: string } = {
  canonical: 'On the present chain, and may still be dropped by a reorg',
  safe: 'Safe: unlikely to be dropped',
  finalized: 'Finalized: will not be dropped',
  orphaned: 'Orphaned: not part of the present chain',
};

export function FinalityBadge({ finality }: { finality: Finality }) {
  return <span class={`badge finality-${finality}`} title={FINALITY_TEXT[finality] ?? ''} data-testid="finality">{finality}</span>;
}

export function StatusBadge({ status }: { status: string | null | undefined }) {
  if (status === 'success') return <span class="badge good">success</span>;
  if (status === 'reverted') return <span class="badge bad">reverted</span>;
  return <span class="badge">{status === null ? 'before Byzantium' : 'unknown'}</span>;
}

/** Ticks by itself. */
export function Age({ time, testId }: { time: string | undefined; testId?: string }) {
  const now = useNow();
  const from = time === undefined ? Number.NaN : Date.parse(time);
  if (Number.isNaN(from)) return <span class="muted">unknown</span>;
  return <time dateTime={time} title={moment(time as string)} data-testid={testId}>{age(from, now)}</time>;
}

export function Value({ wei, exact = false }: { wei: string | undefined; exact?: boolean }) {
  if (wei === undefined) return <span class="muted">–</span>;
  return <span class={wei === '0' ? 'number muted' : 'number'} title={`${grouped(wei)} wei`}>{exact ? ether(wei) : shortEther(wei)}</span>;
}

/** `from` to `to`, or the contract that a deploy made. */
export function Target({ to, contractAddress }: { to?: string | null | undefined; contractAddress?: string | null | undefined }) {
  if (typeof to === 'string') return <Address value={to} />;
  if (typeof contractAddress === 'string') return <><span class="muted">new </span><Address value={contractAddress} /></>;
  return <span class="muted">new contract</span>;
}
