import { spawnSync } from 'node:child_process';
import { Metrics } from './metrics.ts';

const promtool = spawnSync('promtool', ['--version']).error === undefined;

describe('metrics', () => {
  it('count, show and measure under their names', async () => {
    const metrics = new Metrics();
    const requests = metrics.counter('chainfold_chain_requests_total', 'Requests.', ['method']);
    requests.inc({ method: 'eth_call' });
    requests.add(2, { method: 'eth_call' });
    metrics.gauge('chainfold_chain_head_age_seconds', 'Age.').set(3);
    metrics.histogram('chainfold_log_append_duration_seconds', 'Appends.', [], [0.1, 1]).observe(0.5);
    let depth = 4;
    metrics.observed('chainfold_actors_mailbox_commands', 'Waiting.', ['category'], () => [{ value: depth, labels: { category: 'chain' } }]);
    depth = 5;
    const text = await metrics.text();
    expect(text).toContain('chainfold_chain_requests_total{method="eth_call"} 3');
    expect(text).toContain('chainfold_chain_head_age_seconds 3');
    expect(text).toContain('chainfold_log_append_duration_seconds_bucket{le="1"} 1');
    expect(text).toContain('chainfold_actors_mailbox_commands{category="chain"} 5');
  });

  it('forget what an observed gauge no longer tells of', async () => {
    const metrics = new Metrics();
    let kinds = ['a', 'b'];
    metrics.observed('chainfold_actors_resident_actors', 'Resident.', ['kind'], () => kinds.map((kind) => ({ value: 1, labels: { kind } })));
    await metrics.text();
    kinds = ['a'];
    expect(await metrics.text()).not.toContain('kind="b"');
  });

  it.each([
    ['counter', 'chainfold_chain_requests'],
    ['counter', 'chain_requests_total'],
    ['counter', 'chainfold_chain_wait_ms_total'],
    ['gauge', 'chainfold_chain_blocks_count'],
    ['gauge', 'chainfold_chain_blocks_total'],
    ['gauge', 'chainfold_chain_lag_minutes'],
    ['gauge', 'chainfold_chain_queue_gauge'],
    ['histogram', 'chainfold_log_append_milliseconds'],
    ['histogram', 'chainfold_Log_append_seconds'],
  ] as const)('refuse a %s named %s when it is declared', (type, name) => {
    expect(() => new Metrics()[type](name, 'Help.')).toThrow('declared wrongly');
  });

  const withPromtool = promtool ? it : it.skip;
  withPromtool('are accepted by promtool, those of the process too', async () => {
    const metrics = new Metrics();
    metrics.observeProcess();
    metrics.counter('chainfold_chain_requests_total', 'Requests.').inc();
    metrics.gauge('chainfold_chain_head_age_seconds', 'Age.').set(3);
    metrics.histogram('chainfold_log_append_duration_seconds', 'Appends.').observe(1);
    const check = spawnSync('promtool', ['check', 'metrics'], { input: await metrics.text(), encoding: 'utf8' });
    expect(check.stdout + check.stderr).toBe('');
    expect(check.status).toBe(0);
  });
});
