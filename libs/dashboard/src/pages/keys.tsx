import type { Key, KeyLimit, Page, Spent } from '../api/answers.ts';
import { grouped, moment } from '../format.ts';
import { Empty, Loading, Panel, Trouble } from '../parts/notice.tsx';
import { Age } from '../parts/values.tsx';
import { Link, useHref } from '../routing.tsx';
import { useResource } from '../state/hooks.ts';

const EVERY_MS = 2_000;

export function KeysPage() {
  const { data, error } = useResource<Page<Key>>('/keys', { everyMs: EVERY_MS });
  if (data === undefined) return error ? <Trouble error={error} what="list" /> : <Loading what="keys" />;
  const providers = [...Map.groupBy(data.items, ({ title }) => title)];
  return (
    <>
      <h1>Keys</h1>
      <p class="lede">What each key of a provider may spend, and did. A budget is booked in the log before anybody spends it.</p>
      {data.items.some(({ emulated }) => emulated) && <p class="warning" data-testid="emulated">These providers are emulated: limits and refusals are as documented, nothing is spent anywhere.</p>}
      {data.items.length === 0 && <Empty>None: chains are followed through plain nodes. Keys go into <code>config/keys.yaml</code> or <code>KEYS</code>; the README says how under “Run on your own keys”.</Empty>}
      {providers.map(([title, keys]) => <Provider key={title} title={title} keys={keys} />)}
      {data.items.length > 0 && <SpentPanel />}
    </>
  );
}

function Provider({ title, keys }: { title: string; keys: readonly Key[] }) {
  const ready = keys.filter(({ state }) => state === 'ready').length;
  const requests = keys.reduce((sum, { usage }) => sum + usage['1h'].requests, 0);
  return (
    <Panel id={`keys-${title}`} title={title} aside={`${ready} of ${keys.length} ready · ${grouped(requests)} requests in the last hour`} wide>
      <ul class="keys" data-testid="keys">{keys.map((key) => <KeyRow key={key.alias} of={key} />)}</ul>
    </Panel>
  );
}

function KeyRow({ of }: { of: Key }) {
  const href = useHref();
  return (
    <li data-testid="key">
      <p class="key-name"><Link href={href(`/keys/${encodeURIComponent(of.alias)}`)}>{of.alias}</Link> <KeyState of={of} /></p>
      {of.limits.map((limit) => <LimitBar key={limit.name} alias={of.alias} limit={limit} unit={of.unit} />)}
      <p class="key-use muted">{grouped(of.usage['1h'].requests)} in 1 h · {grouped(of.usage['24h'].requests)} in 24 h{of.usage['24h'].errors > 0 && ` · ${grouped(of.usage['24h'].errors)} refused or failed`}</p>
    </li>
  );
}

export function KeyState({ of }: { of: Key }) {
  return <span class={`badge key-${of.state}`} title={of.reason ?? ''}>{of.state}{typeof of.until === 'string' && <span class="key-until"> until {moment(of.until)}</span>}</span>;
}

export function LimitBar({ alias, limit, unit }: { alias: string; limit: KeyLimit; unit: string }) {
  const what = limit.period === undefined ? `in ${(limit.windowMs ?? 0) / 1_000} s` : `this ${limit.period}`;
  const words = `${grouped(Math.floor(limit.left))} of ${grouped(limit.units)} ${unit} left ${what}`;
  return (
    <p class="limit" title={words}>
      <progress value={Math.min(limit.used, limit.units)} max={limit.units} aria-label={`${alias}, ${limit.name}: ${words}`} />
      <span class="muted">{words}</span>
    </p>
  );
}

function SpentPanel() {
  const { data } = useResource<Page<Spent>>('/usage?days=7', { everyMs: 10_000 });
  const rows = [...Map.groupBy(data?.items ?? [], ({ day, provider, method }) => `${day} ${provider} ${method}`)].map(([id, spent]) => {
    const [first] = spent as [Spent];
    return { ...first, id, calls: spent.reduce((sum, { calls }) => sum + calls, 0), units: spent.reduce((sum, { units }) => sum + units, 0) };
  });
  if (rows.length === 0) return null;
  return (
    <Panel id="spent" title="Spent" aside="last 7 days" wide>
      <div class="scroll"><table class="plain-rows" data-testid="spent">
        <thead><tr><th scope="col">Day</th><th scope="col">Provider</th><th scope="col">Method</th><th scope="col" class="right">Calls</th><th scope="col" class="right">Units</th></tr></thead>
        <tbody>{rows.map(({ id, day, provider, method, calls, units, unit }) => <tr key={id}><td>{day}</td><td>{provider}</td><td><code>{method}</code></td><td class="right">{grouped(calls)}</td><td class="right">{grouped(units)} {unit}</td></tr>)}</tbody>
      </table></div>
    </Panel>
  );
}

export function LastRequest({ of }: { of: Key }) {
  return of.lastRequestAt === null ? <>never</> : <><Age time={of.lastRequestAt} /> ago</>;
}
