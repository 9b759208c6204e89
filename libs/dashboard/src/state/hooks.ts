import { createContext } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import type { ApiError } from '../api/client.ts';
import { Reading } from './reading.ts';
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

const ticking = new Set<(now: number) => void>();
let clock: ReturnType<typeof setInterval> | undefined;

/** The present, once a second. One timer for all that show it, so that a page of ages is drawn once and not age by age. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    ticking.add(setNow);
    clock ??= setInterval(() => {
      const present = Date.now();
      for (const tell of ticking) tell(present);
    }, 1_000);
    return () => {
      ticking.delete(setNow);
      if (ticking.size > 0) return;
      clearInterval(clock);
      clock = undefined;
    };
  }, []);
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
  const reading = useRef<Reading<T>>(undefined);
  const seen = useRef(version);
  useEffect(() => {
    if (path === undefined) return;
    const opened = new Reading<T>(path, everyMs, ({ data, error }) =>
      setState((before) => ({ data: data ?? (before.path === path && error?.missing !== true ? before.data : undefined), error, loading: false, path })));
    reading.current = opened;
    return () => opened.close();
  }, [path, everyMs]);
  useEffect(() => {
    if (seen.current !== version) reading.current?.again();
    seen.current = version;
  }, [version]);
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
