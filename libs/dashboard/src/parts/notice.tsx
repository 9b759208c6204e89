import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/client.ts';
import { Link, useHref } from '../routing.tsx';

export function Loading({ what }: { what: string }) {
  return <p class="notice" role="status" aria-busy="true">Reading {what}…</p>;
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

export function Trouble({ error, what }: { error: ApiError; what: string }) {
  const href = useHref();
  return (
    <section class="notice trouble" role="alert" data-testid="problem">
      <h1>{error.missing ? `No such ${what}` : error.status === 0 ? 'No connection' : `This ${what} cannot be shown`}</h1>
      <p>{error.message}</p>
      <p>
        {error.status === 0 ? 'The page tries again by itself.' : <Link href={href()}>Back to the head of the chain</Link>}
      </p>
    </section>
  );
}

export function Panel({ title, aside, id, children, wide = false }: { title: string; aside?: ComponentChildren; id: string; children: ComponentChildren; wide?: boolean }) {
  return (
    <section class={wide ? 'panel wide' : 'panel'} aria-labelledby={`${id}-title`} data-testid={id}>
      <header class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {aside !== undefined && <div class="aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}
