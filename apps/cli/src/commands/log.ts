import type { Output } from '../output.ts';
import { table } from '../output.ts';
import type { Page } from '../api-client.ts';
import type { Target } from '../target.ts';

interface ShownEvent {
  readonly position: string;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly recordedAt: string;
}

export interface EventsOptions {
  readonly after?: string;
  readonly types?: string;
  readonly categories?: string;
  readonly stream?: string;
  readonly limit: number;
}

const PAGE = 500;

/** One event per line, oldest first. */
export async function events({ api }: Target, output: Output, options: EventsOptions): Promise<void> {
  const query = new URLSearchParams({ limit: String(Math.min(options.limit, PAGE)) });
  if (options.types !== undefined) query.set('types', options.types);
  if (options.categories !== undefined) query.set('categories', options.categories);
  const path = options.stream === undefined ? '/api/v1/events' : `/api/v1/streams/${encodeURIComponent(options.stream)}`;
  let after = options.after ?? null;
  let left = options.limit;
  while (left > 0) {
    if (after !== null) query.set('after', after);
    const page: Page<ShownEvent> = await api.get(`${path}?${query.toString()}`);
    for (const event of page.items.slice(0, left)) {
      output.result(event, () => `${event.position}  ${event.recordedAt}  ${event.stream}@${event.revision}  ${event.type}`);
    }
    left -= page.items.length;
    if (page.next === null) break;
    after = page.next;
  }
  if (left === options.limit && options.types !== undefined && options.after === undefined) await hintAtTypes({ api }, options.types);
}

/** A misspelt type finds nothing for ever. Types are open, so it is no error; what was seen of each says most. */
async function hintAtTypes({ api }: Pick<Target, 'api'>, types: string): Promise<void> {
  const unseen: string[] = [];
  for (const type of types.split(',').map((name) => name.trim()).filter((name) => name !== '')) {
    const { items }: Page<ShownEvent> = await api.get(`/api/v1/events?limit=1&types=${encodeURIComponent(type)}`);
    if (items.length === 0) unseen.push(type);
  }
  if (unseen.length > 0) process.stderr.write(`This log holds no event of the type ${unseen.join(', ')}. \`chainfold events\` shows the types there are.\n`);
}

export async function streams({ api }: Target, output: Output, options: { readonly category?: string }): Promise<void> {
  const category = options.category === undefined ? '' : `&category=${encodeURIComponent(options.category)}`;
  for await (const stream of api.all<{ stream: string; lastRevision: number }>(`/api/v1/streams?limit=${PAGE}${category}`)) {
    output.result(stream, () => `${stream.stream}  ${stream.lastRevision + 1} events`);
  }
}

export interface ShownProjection {
  readonly name: string;
  readonly version: number;
  readonly generation: number;
  readonly state: string;
  readonly position: string;
  readonly lagEvents: number | null;
  readonly lagSeconds: number;
  readonly parkedKeys: number;
  readonly lastError?: { readonly message: string };
  readonly generations?: readonly { readonly generation: number; readonly state: string }[];
  readonly rebuild?: { readonly generation: number; readonly state: string; readonly progress: number | null; readonly reason?: string };
}

export async function projections({ api }: Target, output: Output): Promise<void> {
  const page = await api.get<Page<ShownProjection>>('/api/v1/projections');
  output.result(page, () =>
    table(
      ['name', 'version', 'generation', 'kept', 'state', 'lag', 'seconds', 'parked', 'position'],
      page.items.map((one) => [one.name, one.version, one.generation, keptOf(one), one.state, one.lagEvents, one.lagSeconds, one.parkedKeys, one.position]),
    ),
  );
}

function keptOf({ generations = [] }: ShownProjection): string {
  return generations.filter(({ state }) => state === 'kept').map(({ generation }) => generation).join(' ') || '-';
}
