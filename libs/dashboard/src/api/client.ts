/** What the server said no to, in its own words (RFC 9457), or that it could not be reached. */
export class ApiError extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }

  get missing(): boolean {
    return this.status === 404;
  }
  /** The address was not understood: it will not be right later either. */
  get refused(): boolean {
    return this.status >= 400 && this.status < 500;
  }
}

const ACCEPT = { accept: 'application/json' };

/** GET under /api/v1. Throws `ApiError`; status 0 means that no server answered. */
export async function get<T>(path: string, signal?: AbortSignal, cache: RequestCache = 'default'): Promise<T> {
  return answer<T>(path, { cache, ...(signal ? { signal } : {}) });
}

/** A command without a body. Throws as `get` does. */
export function post<T>(path: string): Promise<T> {
  return answer<T>(path, { method: 'POST', headers: { ...ACCEPT, 'content-type': 'application/json' }, body: '{}' });
}

async function answer<T>(path: string, init: RequestInit): Promise<T> {
  const { signal } = init;
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, { headers: ACCEPT, ...init });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('The server cannot be reached.', 0);
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok && body !== undefined) return body as T;
  throw new ApiError(wordsOf(body) ?? `The server answered ${response.status}.`, response.status);
}

/** What is wrong with each part, for a reader: without the pointers into a request that the reader did not write. */
function wordsOf(body: unknown): string | undefined {
  const { title, detail, errors } = (body ?? {}) as { title?: unknown; detail?: unknown; errors?: unknown };
  const parts = Array.isArray(errors) ? errors.map((part: { detail?: unknown } | null) => part?.detail).filter((text) => typeof text === 'string' && text !== '') : [];
  return [parts.join('. '), detail, title].find((text) => typeof text === 'string' && text !== '') as string | undefined;
}

export const chainPath = (chainId: string, rest = ''): string => `/chains/${encodeURIComponent(chainId)}${rest}`;
