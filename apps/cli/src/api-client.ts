import { ChainfoldError, type ErrorKind, type JsonObject } from '#platform/kernel';

/** What a list of the API answers. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
  readonly asOf: string;
}

interface Problem {
  readonly detail?: string;
  readonly title?: string;
  readonly code?: string;
  readonly status?: number;
  readonly retryable?: boolean;
  readonly hint?: string;
  readonly facts?: JsonObject;
}

const KIND_OF_STATUS: Readonly<Record<number, ErrorKind>> = { 400: 'invalid', 404: 'missing', 409: 'conflict', 412: 'conflict', 401: 'forbidden', 403: 'forbidden', 429: 'throttled' };
const ANSWER_WITHIN_MS = 30_000;

/** Asks a running chainfold over HTTP. A problem that it answers is thrown as the error it was. */
export class ApiClient {
  readonly url: string;
  readonly #token: string | undefined;

  constructor(url: string, token?: string) {
    this.url = url;
    this.#token = token;
  }

  get<T>(path: string): Promise<T> {
    return this.#json<T>('GET', path);
  }

  post<T>(path: string, body?: JsonObject): Promise<T> {
    return this.#json<T>('POST', path, body);
  }

  /** Every item of a list, page by page, oldest answer first. */
  async *all<Item>(path: string): AsyncGenerator<Item> {
    let after: string | null = null;
    do {
      const joint = path.includes('?') ? '&' : '?';
      const page: Page<Item> = await this.get(`${path}${after === null ? '' : `${joint}after=${encodeURIComponent(after)}`}`);
      yield* page.items;
      after = page.next;
    } while (after !== null);
  }

  /** An answer of one JSON value per line, as it comes. */
  async *lines<T>(path: string): AsyncGenerator<T> {
    const answer = await this.#ask('GET', path);
    let rest = '';
    try {
      for await (const piece of (answer.body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream())) {
        const lines = (rest + piece).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as T;
      }
    } catch (error) {
      if (error instanceof ChainfoldError) throw error;
      throw new NotAnswering(this.url, error);
    }
    if (rest.trim() !== '') yield JSON.parse(rest) as T;
  }

  async #json<T>(method: string, path: string, body?: JsonObject): Promise<T> {
    const answer = await this.#ask(method, path, body, AbortSignal.timeout(ANSWER_WITHIN_MS));
    return (await answer.json()) as T;
  }

  async #ask(method: string, path: string, body?: JsonObject, signal?: AbortSignal): Promise<Response> {
    const headers = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }) };
    let answer: Response;
    try {
      answer = await fetch(`${this.url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...(signal === undefined ? {} : { signal }) });
    } catch (error) {
      throw new NotAnswering(this.url, error);
    }
    if (answer.ok) return answer;
    throw problemOf((await answer.json().catch(() => ({}))) as Problem, answer.status);
  }
}

function problemOf(problem: Problem, status: number): ChainfoldError {
  return new ChainfoldError(problem.detail ?? problem.title ?? `The answer was HTTP ${status}`, {
    code: problem.code ?? 'refused',
    kind: KIND_OF_STATUS[status] ?? 'unavailable',
    retryable: problem.retryable ?? false,
    ...(problem.facts === undefined ? {} : { facts: problem.facts }),
    ...(problem.hint === undefined ? {} : { hint: onCommandLine(problem.hint) }),
  });
}

const COMMANDS = ['projections', 'streams', 'events'];

/** Hints of the API name addresses; here the command is at hand that asks there. */
function onCommandLine(hint: string): string {
  return hint.replace(/\bGET (?:\/api\/v1)?\/(\w+)(?![\w/{])/g, (address, list: string) => (COMMANDS.includes(list) ? `\`chainfold ${list}\`` : address));
}

export class NotAnswering extends ChainfoldError {
  constructor(url: string, cause: unknown) {
    super(`The process at ${url} does not answer`, {
      code: 'process-not-answering',
      kind: 'unavailable',
      retryable: true,
      hint: 'Is it still starting, or ending? `chainfold doctor` looks at everything.',
      cause,
    });
  }
}
