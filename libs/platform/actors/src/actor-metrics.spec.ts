import { openMemoryEventStore } from '#platform/event-store';
import { Metrics } from '#platform/observability';
import { ManualClock, TALLY_VERSIONS, tallyDecider } from '#platform/testing';
import { actorMetrics, ActorSystem, observeDepths } from './index.ts';

describe('metrics of actors', () => {
  it('count what was told, written and refused, and show what waits', async () => {
    const metrics = new Metrics();
    const system = new ActorSystem({ store: openMemoryEventStore(), clock: new ManualClock(), hooks: actorMetrics(metrics) });
    observeDepths(metrics, system);
    const tallies = system.define({ category: 'tally', decider: tallyDecider, schemaVersions: TALLY_VERSIONS });
    await Promise.allSettled([tallies.tell('a', { type: 'Add', by: 1, key: 'x' }), tallies.tell('a', { type: 'Refuse' })]);
    const waiting = tallies.tell('a', { type: 'Glance' });
    const text = await metrics.text();
    await waiting;
    expect(text).toContain('chainfold_actors_commands_total{category="tally",outcome="written"} 1');
    expect(text).toContain('chainfold_actors_commands_total{category="tally",outcome="refused"} 1');
    expect(text).toContain('chainfold_actors_events_total{category="tally"} 1');
    expect(text).toContain('chainfold_actors_append_commands_sum{category="tally"} 2');
    expect(text).toContain('chainfold_actors_resident_actors{category="tally"} 1');
    expect(text).toContain('chainfold_actors_mailbox_commands{category="tally"}');
  });
});
