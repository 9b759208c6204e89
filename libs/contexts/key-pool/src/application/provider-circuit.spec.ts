import { ProviderCircuit } from './provider-circuit.ts';
import { RetryBudget } from './retry-budget.ts';

function failing(): ProviderCircuit {
  const circuit = new ProviderCircuit(() => 0.5);
  for (let permit = 1; permit <= 5; permit += 1) circuit.failed(permit, 0);
  return circuit;
}

describe('the circuit of a provider', () => {
  it('opens after five failures in a row, not where an answer came between', () => {
    const circuit = new ProviderCircuit(() => 0.5);
    for (let permit = 1; permit <= 4; permit += 1) expect(circuit.failed(permit, 0)).toBe(false);
    expect(circuit.answered()).toBe(false);
    for (let permit = 5; permit <= 8; permit += 1) circuit.failed(permit, 0);
    expect(circuit.state()).toBe('up');
    expect(circuit.failed(9, 0)).toBe(true);
    expect([circuit.state(), circuit.admits(499), circuit.waitMs(0)]).toEqual(['down', false, 500]);
  });

  it('lets single requests try it, after pauses that double up to half a minute', () => {
    const circuit = failing();
    const pauses: number[] = [];
    for (let probe = 10; probe < 19; probe += 1) {
      const now = pauses.reduce((sum, ms) => sum + ms, 0) + 500;
      expect(circuit.admits(now)).toBe(true);
      circuit.granted(probe);
      expect([circuit.state(), circuit.admits(now)]).toEqual(['probing', false]);
      circuit.failed(3, now);
      expect(circuit.state()).toBe('probing');
      circuit.failed(probe, now);
      pauses.push(circuit.waitMs(now));
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  it('is tried by another one where a probe was not sent, and is back with the first answer', () => {
    const circuit = failing();
    circuit.granted(10);
    circuit.unspent(10);
    expect(circuit.admits(500)).toBe(true);
    circuit.granted(11);
    expect([circuit.answered(), circuit.state(), circuit.waitMs(500)]).toEqual([true, 'up', 0]);
  });

  it('brings processes that saw the same back at different times', () => {
    const waits = [0, 0.5, 0.999].map((drawn) => {
      const circuit = new ProviderCircuit(() => drawn);
      for (let permit = 1; permit <= 5; permit += 1) circuit.failed(permit, 0);
      return Math.round(circuit.waitMs(0));
    });
    expect(waits).toEqual([375, 500, 625]);
  });
});

describe('the budget for retries', () => {
  it('is a few, and then a tenth of the requests', () => {
    const budget = new RetryBudget();
    const retries = (most: number): number => Array.from({ length: most }, () => budget.retry()).filter(Boolean).length;
    expect(retries(50)).toBe(10);
    for (let request = 0; request < 51; request += 1) budget.requested();
    expect(retries(50)).toBe(5);
    for (let request = 0; request < 10_000; request += 1) budget.requested();
    expect(retries(50)).toBe(10);
  });
});
