import { ChainfoldError } from '#platform/kernel';
import { collectDefaultMetrics, Counter as PromCounter, Gauge as PromGauge, Histogram as PromHistogram, Registry } from 'prom-client';

/** Values of the labels that a metric was declared with. */
export type Labels<Name extends string> = Readonly<Record<Name, string>>;
type LabelArgument<Name extends string> = [Name] extends [never] ? [] : [labels: Labels<Name>];

export interface Counter<Name extends string = never> {
  /** By one. */
  inc(...labels: LabelArgument<Name>): void;
  add(by: number, ...labels: LabelArgument<Name>): void;
}

export interface Gauge<Name extends string = never> {
  set(value: number, ...labels: LabelArgument<Name>): void;
  /** Forgets one set of labels: what it told of is gone. */
  remove(...labels: LabelArgument<Name>): void;
}

export interface Histogram<Name extends string = never> {
  /** In the unit that the name ends with. */
  observe(value: number, ...labels: LabelArgument<Name>): void;
}

export interface Sample<Name extends string> {
  readonly value: number;
  readonly labels: Labels<Name>;
}

/** From a millisecond to a minute. */
export const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/**
 * The metrics of one process. Names are `chainfold_<context>_<what>_<unit>` in base units; one that Prometheus'
 * own linter would refuse is refused here, when it is declared.
 */
export class Metrics {
  readonly registry: Registry;

  constructor(registry: Registry = new Registry()) {
    this.registry = registry;
  }

  counter<Name extends string = never>(name: string, help: string, labelNames: readonly Name[] = []): Counter<Name> {
    checkName(name, help, 'counter');
    const counter = new PromCounter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
    return {
      inc: (...[labels]) => counter.inc((labels ?? {}) as Labels<Name>),
      add: (by, ...[labels]) => counter.inc((labels ?? {}) as Labels<Name>, by),
    };
  }

  gauge<Name extends string = never>(name: string, help: string, labelNames: readonly Name[] = []): Gauge<Name> {
    checkName(name, help, 'gauge');
    const gauge = new PromGauge({ name, help, labelNames: [...labelNames], registers: [this.registry] });
    return {
      set: (value, ...[labels]) => gauge.set((labels ?? {}) as Labels<Name>, value),
      remove: (...[labels]) => gauge.remove((labels ?? {}) as Labels<Name>),
    };
  }

  /** A gauge that is looked up when somebody asks for the metrics; samples that are gone disappear. */
  observed<Name extends string>(name: string, help: string, labelNames: readonly Name[], samples: () => readonly Sample<Name>[] | Promise<readonly Sample<Name>[]>): void {
    checkName(name, help, 'gauge');
    new PromGauge({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      async collect() {
        const seen = await samples();
        this.reset();
        for (const { labels, value } of seen) this.set(labels, value);
      },
    });
  }

  histogram<Name extends string = never>(name: string, help: string, labelNames: readonly Name[] = [], buckets: readonly number[] = SECONDS_BUCKETS): Histogram<Name> {
    checkName(name, help, 'histogram');
    const histogram = new PromHistogram({ name, help, labelNames: [...labelNames], buckets: [...buckets], registers: [this.registry] });
    return { observe: (value, ...[labels]) => histogram.observe((labels ?? {}) as Labels<Name>, value) };
  }

  /** Memory, CPU, event loop and garbage collection of this process. Once per process. */
  observeProcess(): void {
    collectDefaultMetrics({ register: this.registry });
    // Gauges with the suffix of a counter; the same numbers stand, by type, in the ones without it.
    for (const name of ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total']) {
      this.registry.removeSingleMetric(name);
    }
  }

  /** The page that Prometheus reads. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }
}

const NAME = /^chainfold_[a-z][a-z0-9]*(?:_[a-z0-9]+)+$/;
/** Of `promtool check metrics`: units that have a base unit, and words that say the type. */
const NOT_IN_NAME = /_(?:ms|milliseconds|us|microseconds|ns|nanoseconds|minutes|hours|days|weeks|s|sec|secs|kb|kilobytes|mb|megabytes|gb|gigabytes|b|bits|percent|counter|gauge|histogram|summary)(?:_|$)/;
const SUFFIX_OF_OTHERS = { counter: /_(?:count|sum|bucket|info)$/, gauge: /_(?:total|count|sum|bucket)$/, histogram: /_(?:total|count|sum|bucket|info)$/ };

function checkName(name: string, help: string, type: 'counter' | 'gauge' | 'histogram'): void {
  const rule = !NAME.test(name)
    ? 'must be chainfold_<context>_<what>_<unit>'
    : NOT_IN_NAME.test(name)
      ? 'must use base units (seconds, bytes, ratio) and not name its type'
      : SUFFIX_OF_OTHERS[type].test(name)
        ? `has a suffix that a ${type} may not have`
        : type === 'counter' && !name.endsWith('_total')
          ? 'must end with _total, as a counter'
          : help === ''
            ? 'must have a help text'
            : undefined;
  if (rule !== undefined) throw new MetricMisnamed(name, rule);
}

class MetricMisnamed extends ChainfoldError {
  constructor(name: string, rule: string) {
    super('A metric is declared wrongly', { code: 'metric-misnamed', kind: 'bug', facts: { name, rule }, hint: 'https://prometheus.io/docs/practices/naming/' });
  }
}
