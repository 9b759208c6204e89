import { useState } from 'preact/hooks';
import type { Key, KeyExplanation, KeyProbe } from '../api/answers.ts';
import { post } from '../api/client.ts';
import { grouped, moment } from '../format.ts';
import { Field, Fields } from '../parts/fields.tsx';
import { Loading, Panel, Trouble } from '../parts/notice.tsx';
import { useResource } from '../state/hooks.ts';
import { KeyState, LastRequest, LimitBar } from './keys.tsx';

const HOURS = ['1h', '2h', '12h', '24h', '48h'] as const;

export function KeyPage({ alias }: { alias: string }) {
  const path = `/keys/${encodeURIComponent(alias)}`;
  const { data, error } = useResource<Key>(path, { everyMs: 2_000 });
  const explained = useResource<KeyExplanation>(`${path}/explain`, { everyMs: 10_000 });
  if (data === undefined) return error ? <Trouble error={error} what="key" /> : <Loading what="key" />;
  return (
    <>
      <h1>{data.alias} <KeyState of={data} /></h1>
      <p class="lede">{data.title}{data.emulated && ', emulated'}. {data.reason}</p>
      <Panel id="limits" title="Budget" wide>
        {data.limits.length === 0 && <p class="muted">Nothing limits it.</p>}
        {data.limits.map((limit) => <LimitBar key={limit.name} alias={data.alias} limit={limit} unit={data.unit} />)}
        <Fields testId="key-fields">
          <Field name="acknowledged">{grouped(data.totals.acknowledged)} {data.unit}</Field>
          <Field name="unacknowledged">{grouped(data.totals.unacknowledged)} {data.unit}</Field>
          <Field name="booked">{grouped(data.totals.booked)} {data.unit}</Field>
          <Field name="heldBy">{data.leases.map(({ holder, until }) => `${holder} until ${moment(until)}`).join(', ') || 'nobody'}</Field>
          <Field name="credentials">{data.credentials} ({data.fingerprints.join(', ')})</Field>
          <Field name="lastRequest"><LastRequest of={data} /></Field>
          <Field name="lastRefusal">{data.lastRefusal === null ? 'none' : `${data.lastRefusal.state} at ${moment(data.lastRefusal.at)}: ${data.lastRefusal.reason}`}</Field>
        </Fields>
        <Probe path={path} />
      </Panel>
      <Panel id="use" title="Use" wide>
        <div class="scroll"><table class="plain-rows">
          <thead><tr><th scope="col">In the last</th><th scope="col" class="right">Requests</th><th scope="col" class="right">Refused or failed</th><th scope="col" class="right">Units</th></tr></thead>
          <tbody>{HOURS.map((hours) => <tr key={hours}><th scope="row">{hours.replace('h', ' h')}</th><td class="right">{grouped(data.usage[hours].requests)}</td><td class="right">{grouped(data.usage[hours].errors)}</td><td class="right">{grouped(data.usage[hours].units)}</td></tr>)}</tbody>
        </table></div>
      </Panel>
      {explained.data !== undefined && (
        <Panel id="why" title="Why it is used, or not" wide>
          <ul class="why" data-testid="why">
            {explained.data.chains.map(({ chainId, role, because }) => <li key={chainId}><b>Chain {chainId}{role.length > 0 && `: ${role.join(', ')}`}</b> {because}</li>)}
            {explained.data.now.map((fact) => <li key={fact}>{fact}</li>)}
          </ul>
        </Panel>
      )}
    </>
  );
}

function Probe({ path }: { path: string }) {
  const [said, setSaid] = useState('');
  const probe = async (): Promise<void> => {
    setSaid('Asking…');
    try {
      const { ok, ms, head, message, class: seen } = await post<KeyProbe>(`${path}/probe`);
      setSaid(ok ? `Answered in ${ms} ms; its head is ${head === null ? 'unknown' : grouped(head)}.` : `${seen}: ${message ?? 'no answer'}`);
    } catch (error) {
      setSaid(error instanceof Error ? error.message : 'It could not be asked.');
    }
  };
  return <p><button type="button" class="plain-button" data-testid="probe" onClick={() => void probe()}>Probe</button> <span role="status">{said}</span></p>;
}
