import type { DynamicModule } from '@nestjs/common';
import { register } from 'prom-client';
import { Metrics } from './metrics.ts';

/** Those of this process, as `/metrics` answers them. */
export const processMetrics = new Metrics(register);

/** Serves `processMetrics` at /metrics. For the `imports` of the root module, which also takes a promise. */
export async function metricsModule(): Promise<DynamicModule> {
  // Only who serves them needs Nest.
  const { PrometheusModule } = await import('@willsoto/nestjs-prometheus');
  return PrometheusModule.register({ path: '/metrics', defaultMetrics: { enabled: false } });
}
