import { Controller, Get, Inject } from '@nestjs/common';
import { HealthCheckService, HealthIndicatorService, type HealthCheckResult, type HealthIndicatorResult } from '@nestjs/terminus';
import { HealthParts, Lifecycle } from '#platform/runtime';

/** What probes ask. 503 always says which part is red and why. */
@Controller('health')
export class HealthController {
  readonly #checks: HealthCheckService;
  readonly #indicators: HealthIndicatorService;
  readonly #parts: HealthParts;
  readonly #lifecycle: Lifecycle;

  constructor(
    @Inject(HealthCheckService) checks: HealthCheckService,
    @Inject(HealthIndicatorService) indicators: HealthIndicatorService,
    @Inject(HealthParts) parts: HealthParts,
    @Inject(Lifecycle) lifecycle: Lifecycle,
  ) {
    this.#checks = checks;
    this.#indicators = indicators;
    this.#parts = parts;
    this.#lifecycle = lifecycle;
  }

  /** The process answers: never restart it because of something outside of it. */
  @Get('live')
  live(): Promise<HealthCheckResult> {
    return this.#checks.check([() => this.#indicators.check('process').up({ pid: process.pid })]);
  }

  /** Green once everything was opened, and from then on. */
  @Get('startup')
  startup(): Promise<HealthCheckResult> {
    const indicator = this.#indicators.check('process');
    return this.#checks.check([() => (this.#lifecycle.state === 'opening' ? indicator.down({ reason: 'Opening' }) : indicator.up())]);
  }

  @Get('ready')
  ready(): Promise<HealthCheckResult> {
    return this.#checks.check(this.#parts.names().map((name) => () => this.#part(name)));
  }

  async #part(name: string): Promise<HealthIndicatorResult> {
    const { status, reason, facts } = await this.#parts.check(name);
    const data = { ...facts, ...(reason === undefined ? {} : { reason }) };
    const indicator = this.#indicators.check(name);
    switch (status) {
      case 'up':
        return indicator.up(data);
      case 'degraded':
        return indicator.degraded(data);
      case 'down':
        return indicator.down(data);
    }
  }
}
