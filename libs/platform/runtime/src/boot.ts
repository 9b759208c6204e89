import { type Clock, systemClock } from '#platform/kernel';
import { openLog, type Logger } from '#platform/observability';
import { loadSettings, type logSettings, processSources, type SettingsOf, type SettingsPart, type SettingsSources } from '#platform/settings';
import type { ProgramBoot } from './deployable.ts';
import { HealthParts } from './health-parts.ts';
import { Lifecycle } from './lifecycle.ts';

export interface BootOptions {
  readonly sources?: SettingsSources;
  readonly drainWithinMs?: number;
  /** Told as soon as there is something to drain, which is long before the program is ready. */
  readonly onOpening?: (opening: { readonly lifecycle: Lifecycle; readonly log: Logger }) => void;
}

/** Reads the settings of a program and gives it what every program has. `others`: parts that the same files may hold for other programs. */
export function bootOf<Settings>(parts: readonly SettingsPart[], others: readonly SettingsPart[], options: BootOptions): ProgramBoot<Settings> {
  const settings = loadSettings(parts, options.sources ?? processSources(), others) as SettingsOf<readonly [typeof logSettings]> & Settings;
  const log = openLog({ level: settings.log.level, format: settings.log.format });
  const lifecycle = lifecycleOf(systemClock, log, options);
  const boot = { settings, lifecycle, health: new HealthParts(systemClock, lifecycle), clock: systemClock, log };
  options.onOpening?.(boot);
  return boot;
}

function lifecycleOf(clock: Clock, log: Logger, { drainWithinMs }: BootOptions): Lifecycle {
  return new Lifecycle(clock, {
    ...(drainWithinMs === undefined ? {} : { drainWithinMs }),
    observe: (step, part, tookMs) => {
      const fields = { part, tookMs: Math.round(tookMs) };
      if (step === 'hung' || step === 'failed') log.error(fields, `part ${step}`);
      else log.debug(fields, `part ${step}`);
    },
  });
}
