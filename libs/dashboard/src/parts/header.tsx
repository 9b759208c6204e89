import { useEffect, useRef, useState } from 'preact/hooks';
import { Link, navigate, useHref } from '../routing.tsx';
import { search } from '../state/search.ts';
import type { LiveState } from '../state/live-chain.ts';

export function Header({ live, chainId }: { live: LiveState; chainId: string }) {
  const href = useHref();
  return (
    <header class="top">
      <div class="top-inner">
        <Link href={href()} class="brand" aria-label="chainfold, head of the chain">
          <svg viewBox="0 0 32 32" aria-hidden="true"><path d="M5 23V9l9 5v14zM16 28V14l11-6v14z" /></svg>
          <span>chainfold</span>
        </Link>
        <ChainChoice live={live} chainId={chainId} />
        {(live.chain !== undefined || live.problem === undefined || live.feed === 'lost') && <Connection live={live} />}
        <Link href={href('/keys')} class="to-keys">Keys</Link>
        <SearchBox chainId={chainId} />
      </div>
    </header>
  );
}

function ChainChoice({ live, chainId }: { live: LiveState; chainId: string }) {
  const name = (id: string, given: string | undefined): string => (given === undefined || given === '' ? `Chain ${id}` : given);
  if (live.chains.length < 2) return <span class="chain-name" data-testid="chain-name">{live.chain ? name(live.chain.chainId, live.chain.name) : ''}</span>;
  return (
    <select class="chain-choice" aria-label="Chain" data-testid="chain-choice" value={chainId} onChange={(event) => navigate(`/chains/${encodeURIComponent(event.currentTarget.value)}`)}>
      {live.chains.map((chain) => <option key={chain.chainId} value={chain.chainId}>{name(chain.chainId, chain.name)}</option>)}
    </select>
  );
}

const FEED_TEXT = { connecting: 'Connecting', live: 'Live', lost: 'Connection lost' } as const;

function Connection({ live }: { live: LiveState }) {
  return <span class={`feed feed-${live.feed}`} role="status" data-testid="connection">{FEED_TEXT[live.feed]}</span>;
}

function SearchBox({ chainId }: { chainId: string }) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.key !== '/' || event.ctrlKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const found = await search(chainId, text);
    setBusy(false);
    if ('problem' in found) return setProblem(found.problem);
    setProblem('');
    setText('');
    navigate(found.to);
  };
  return (
    <form class="search" role="search" onSubmit={(event) => void submit(event)}>
      <input
        ref={field} type="search" value={text} spellcheck={false} autocomplete="off" autocapitalize="off" data-testid="search"
        placeholder="Block number, hash or address" aria-label="Search by block number, hash or address" aria-invalid={problem !== ''} aria-describedby="search-problem"
        onInput={(event) => { setText(event.currentTarget.value); setProblem(''); }}
      />
      <button type="submit" disabled={busy}>Search</button>
      <p id="search-problem" class="search-problem" role="alert" data-testid="search-problem">{problem}</p>
    </form>
  );
}
