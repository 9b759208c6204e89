import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';

export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'blocks' }
  | { readonly page: 'block'; readonly ref: string }
  | { readonly page: 'transaction'; readonly hash: string }
  | { readonly page: 'address'; readonly address: string }
  | { readonly page: 'reorgs' }
  | { readonly page: 'backfills' }
  | { readonly page: 'keys' }
  | { readonly page: 'key'; readonly alias: string }
  | { readonly page: 'unknown' };

export interface Location {
  /** Undefined: the first chain. */
  readonly chainId: string | undefined;
  readonly route: Route;
}

/** `/chains/{id}/…`, and the same without the first two parts for the first chain. */
export function parseLocation(pathname: string): Location {
  const parts = pathname.split('/').filter((part) => part !== '').map(decode);
  const chainId = parts[0] === 'chains' ? parts[1] : undefined;
  return { chainId, route: parseRoute(parts[0] === 'chains' ? parts.slice(2) : parts) };
}

function parseRoute([first, second, more]: readonly string[]): Route {
  if (more !== undefined) return { page: 'unknown' };
  if (first === undefined) return { page: 'home' };
  if (second === undefined) {
    if (first === 'reorgs' || first === 'backfills' || first === 'blocks' || first === 'keys') return { page: first };
    return { page: 'unknown' };
  }
  switch (first) {
    case 'blocks':
      return { page: 'block', ref: second.toLowerCase() };
    case 'keys':
      return { page: 'key', alias: second };
    case 'tx':
      return { page: 'transaction', hash: second.toLowerCase() };
    case 'address':
      return { page: 'address', address: second.toLowerCase() };
    default:
      return { page: 'unknown' };
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export const ChainContext = createContext('');

/** Builds addresses within the chain that is shown. */
export function useHref(): (rest?: string) => string {
  const chainId = useContext(ChainContext);
  return (rest = '') => `/chains/${encodeURIComponent(chainId)}${rest}`;
}

export function navigate(href: string): void {
  history.pushState(null, '', href);
  dispatchEvent(new PopStateEvent('popstate'));
  scrollTo(0, 0);
}

export function useLocation(): Location {
  const [pathname, setPathname] = useState(location.pathname);
  useEffect(() => {
    const moved = (): void => setPathname(location.pathname);
    addEventListener('popstate', moved);
    return () => removeEventListener('popstate', moved);
  }, []);
  return parseLocation(pathname);
}

interface LinkProps {
  readonly href: string;
  readonly children?: ComponentChildren;
  readonly class?: string;
  readonly title?: string;
  readonly rel?: string;
  readonly 'aria-label'?: string;
  readonly 'data-testid'?: string;
}

/** A link that a browser can still open in another tab. */
export function Link({ href, children, ...rest }: LinkProps) {
  const onClick = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(href);
  };
  return (
    <a {...rest} href={href} onClick={onClick}>
      {children}
    </a>
  );
}
