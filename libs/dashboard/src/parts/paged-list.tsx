import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Page } from '../api/answers.ts';
import { get } from '../api/client.ts';
import { useResource } from '../state/hooks.ts';
import { Loading, Trouble } from './notice.tsx';

interface PagedListProps<Item> {
  readonly path: string;
  readonly what: string;
  readonly everyMs?: number;
  /** The first page is read again when it changes, unless older pages are open below it. */
  readonly version?: unknown;
  readonly limit?: number;
  readonly children: (items: readonly Item[]) => ComponentChildren;
}

/** A list by its cursor: the first page, and further ones below it as they are asked for. */
export function PagedList<Item>({ path, what, everyMs, version, limit = 50, children }: PagedListProps<Item>) {
  // The first page stands still once older ones are below it: a newer one would leave a gap between them.
  const [more, setMore] = useState<{ path: string; items: readonly Item[]; next: string | null }>();
  const [failed, setFailed] = useState('');
  const query = `${path}${path.includes('?') ? '&' : '?'}limit=${limit}`;
  const opened = more !== undefined && more.path === path;
  const first = useResource<Page<Item>>(query, opened ? {} : { ...(everyMs === undefined ? {} : { everyMs }), version });
  useEffect(() => setMore(undefined), [path]);
  if (first.data === undefined) return first.error ? <Trouble error={first.error} what="list" /> : <Loading what={what} />;
  const { items, next } = opened ? more : first.data;
  const readMore = async (cursor: string): Promise<void> => {
    try {
      const page = await get<Page<Item>>(`${query}&after=${encodeURIComponent(cursor)}`);
      setMore({ path, items: [...items, ...page.items], next: page.next });
      setFailed('');
    } catch (error) {
      setFailed(error instanceof Error ? error.message : 'unknown');
    }
  };
  return (
    <>
      {children(items)}
      {next !== null && next !== undefined && <button type="button" class="more" data-testid="more" onClick={() => void readMore(next)}>Show older</button>}
      {failed !== '' && <p role="alert" class="warning">{failed}</p>}
    </>
  );
}
