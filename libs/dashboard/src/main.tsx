import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { BlockPage, BlocksPage } from './pages/block.tsx';
import { AddressPage } from './pages/address.tsx';
import { BackfillsPage } from './pages/backfills.tsx';
import { HomePage } from './pages/home.tsx';
import { KeyPage } from './pages/key.tsx';
import { KeysPage } from './pages/keys.tsx';
import { ReorgsPage } from './pages/reorgs.tsx';
import { TransactionPage } from './pages/transaction.tsx';
import { Header } from './parts/header.tsx';
import { ChainContext, useHref, useLocation, Link, type Route } from './routing.tsx';
import { grouped } from './format.ts';
import { LiveContext, useLiveChain } from './state/hooks.ts';
import type { LiveState } from './state/live-chain.ts';

function App() {
  const { chainId, route } = useLocation();
  const live = useLiveChain(chainId);
  const shown = chainId ?? live?.chain?.chainId ?? '';
  useEffect(() => {
    const head = live?.chain?.head;
    document.title = titleOf(route, head?.number);
  }, [route, live?.chain?.head?.number]);
  if (live === undefined) return <main class="page"><p class="notice" role="status">Opening…</p></main>;
  return (
    <ChainContext.Provider value={shown}>
      <LiveContext.Provider value={live}>
        <a class="skip" href="#content">Skip to the content</a>
        <Header live={live} chainId={shown} />
        <main id="content" class="page" tabIndex={-1}>
          {live.chain === undefined ? <Waiting live={live} /> : <Content route={route} />}
        </main>
        <Footer />
      </LiveContext.Provider>
    </ChainContext.Provider>
  );
}

function Content({ route }: { route: Route }) {
  switch (route.page) {
    case 'home':
      return <HomePage />;
    case 'blocks':
      return <BlocksPage />;
    case 'block':
      return <BlockPage reference={route.ref} />;
    case 'transaction':
      return <TransactionPage hash={route.hash} />;
    case 'address':
      return <AddressPage address={route.address} />;
    case 'reorgs':
      return <ReorgsPage />;
    case 'backfills':
      return <BackfillsPage />;
    case 'keys':
      return <KeysPage />;
    case 'key':
      return <KeyPage alias={route.alias} />;
    case 'unknown':
      return <Unknown />;
  }
}

function Waiting({ live }: { live: LiveState }) {
  if (live.problem !== undefined) {
    return (
      <section class="notice trouble" role="alert" data-testid="problem">
        <h1>Nothing to show yet</h1>
        <p>{live.problem} The page tries again by itself.</p>
        {live.chains.length > 0 && <p>Captured here: {live.chains.map((chain) => <Link key={chain.chainId} class="choice" href={`/chains/${encodeURIComponent(chain.chainId)}`}>{chain.name || `Chain ${chain.chainId}`}</Link>)}</p>}
      </section>
    );
  }
  return <p class="notice" role="status">Waiting for the first chain to be captured…</p>;
}

function Unknown() {
  const href = useHref();
  return <section class="notice trouble" data-testid="problem"><h1>There is no such page</h1><p><Link href={href()}>To the head of the chain</Link></p></section>;
}

function Footer() {
  const href = useHref();
  return (
    <footer class="foot">
      <nav aria-label="More">
        <Link href={href('/blocks')}>Blocks</Link> <Link href={href('/reorgs')}>Reorgs</Link> <Link href={href('/backfills')}>Backfills</Link> <Link href={href('/keys')}>Keys</Link>
        <a href="/api/docs">API</a> <a href="/metrics">Metrics</a> <a href="/health/ready">Health</a>
      </nav>
    </footer>
  );
}

function titleOf(route: Route, head: number | undefined): string {
  switch (route.page) {
    case 'home':
      return head === undefined ? 'chainfold' : `${grouped(head)} · chainfold`;
    case 'block':
      return `Block ${route.ref} · chainfold`;
    case 'keys':
      return 'Keys · chainfold';
    case 'key':
      return `Key ${route.alias} · chainfold`;
    case 'transaction':
      return `Transaction ${route.hash.slice(0, 12)}… · chainfold`;
    case 'address':
      return `Address ${route.address.slice(0, 12)}… · chainfold`;
    default:
      return 'chainfold';
  }
}

const root = document.getElementById('app');
if (root !== null) render(<App />, root);
