import { createContext } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import { get, type ApiError } from '../api/client.ts';
import { LiveChain, type LiveState } from './live-chain.ts';

export const LiveContext = createContext<LiveState | undefined>(undefined);

export function useLive(): LiveState {
  const live = useContext(LiveContext);
  if (live === undefined) throw new Error('outside of the live context');
  return live;
}

/** A new one for every chain that is looked at. */
export function useLiveChain(chainId: string | undefined): LiveState | undefined {
  const [state, setState] = useState<LiveState>();
  const current = useRef<{ chain: LiveChain; shows: string | undefined }>(undefined);
  useEffect(() => {
    // `/` and `/chains/{first}` are the same chain: nothing to read again.
    if (current.current && (chainId === undefined ? current.current.shows === undefined : current.current.shows === chainId)) return;
    current.current?.chain.close();
    setState(undefined);
    const opened = { shows: chainId, chain: new LiveChain(chainId, (next) => { opened.shows = next.chain?.chainId ?? chainId; setState(next); }) };
    current.current = opened;
  }, [chainId]);
  useEffect(() => () => current.current?.chain.close(), []);
  return state;
}

/** The present, once a second. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export interface Resource<T> {
  readonly data: T | undefined;
  readonly error: ApiError | undefined;
  readonly loading: boolean;
}

/** Reads a path and, with `everyMs` or a changed `version`, reads it again; what was there stays until the new answer is. */
export function useResource<T>(path: string | undefined, { everyMs, version }: { everyMs?: number; version?: unknown } = {}): Resource<T> {
  const [state, setState] = useState<Resource<T> & { path: string | undefined }>({ data: undefined, error: undefined, loading: true, path });
  const current = useRef(path);
  current.current = path;
  useEffect(() => {
    if (path === undefined) return;
    const ended = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async (): Promise<void> => {
      try {
        if (!document.hidden) setState({ data: await get<T>(path, ended.signal), error: undefined, loading: false, path });
      } catch (error) {
        if (ended.signal.aborted) return;
        setState((before) => ({ data: before.path === path ? before.data : undefined, error: error as ApiError, loading: false, path }));
      }
      if (everyMs !== undefined && !ended.signal.aborted) timer = setTimeout(() => void read(), everyMs);
    };
    void read();
    return () => {
      ended.abort();
      clearTimeout(timer);
    };
  }, [path, everyMs, version]);
  return state.path === path ? state : { data: undefined, error: undefined, loading: true };
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const changed = (): void => setMatches(list.matches);
    list.addEventListener('change', changed);
    return () => list.removeEventListener('change', changed);
  }, [query]);
  return matches;
}
