import type { Clock, JsonObject } from '#platform/kernel';
import type { Lifecycle } from './lifecycle.ts';

/** `degraded` still serves (200): it tells an operator, not a load balancer. */
export interface Health {
  readonly status: 'up' | 'degraded' | 'down';
  /** One sentence for an operator; always there unless all is well. */
  readonly reason?: string;
  readonly facts?: JsonObject;
}

export type HealthCheck = () => Health | Promise<Health>;

const CHECK_BUDGET_MS = 2_000;

/** What readiness is made of. Every part of the program that can be unwell adds itself, with its reason. */
export class HealthParts {
  readonly #clock: Clock;
  readonly #checks = new Map<string, HealthCheck>();

  constructor(clock: Clock, lifecycle: Lifecycle) {
    this.#clock = clock;
    this.#checks.set('process', () => ofProcess(lifecycle));
  }

  add(name: string, check: HealthCheck): void {
    if (this.#checks.has(name)) throw new Error(`two parts of health are called ${name}`);
    this.#checks.set(name, check);
  }

  names(): readonly string[] {
    return [...this.#checks.keys()];
  }

  /** Never throws and never hangs: a part that does either is down. */
  async check(name: string): Promise<Health> {
    const check = this.#checks.get(name);
    if (check === undefined) return { status: 'down', reason: 'There is no such part' };
    const timer = new AbortController();
    const late = this.#clock.sleep(CHECK_BUDGET_MS, timer.signal).then(
      (): Health => ({ status: 'down', reason: `Did not answer within ${CHECK_BUDGET_MS} ms` }),
      (): Health => ({ status: 'up' }),
    );
    const answer = (async () => check())().catch(
      (error: unknown): Health => ({ status: 'down', reason: error instanceof Error ? error.message : 'The check failed' }),
    );
    const health = await Promise.race([answer, late]);
    timer.abort();
    return health;
  }
}

function ofProcess(lifecycle: Lifecycle): Health {
  switch (lifecycle.state) {
    case 'running':
      return { status: 'up' };
    case 'opening':
      return { status: 'down', reason: 'Opening' };
    case 'draining':
    case 'closed':
      return { status: 'down', reason: 'Draining: the process was asked to end' };
  }
}
