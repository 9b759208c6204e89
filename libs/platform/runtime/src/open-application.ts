import { resolve } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { acquireDataDirectory } from '#platform/event-store';
import { systemClock } from '#platform/kernel';
import { createHttpAdapter } from '#platform/http';
import { nestLogger, openLog, type Logger } from '#platform/observability';
import { loadSettings, platformSettings, processSources, type SettingsOf, type SettingsPart, type SettingsSources } from '#platform/settings';
import type { Boot, CaptureMode, Deployable, PlatformSettings } from './deployable.ts';
import { refuseWorkWhileDraining } from './draining-door.ts';
import { HealthParts } from './health-parts.ts';
import { closeDoor, listen, type ListenAt } from './http-listener.ts';
import { Draining, Lifecycle, type DrainReport } from './lifecycle.ts';
import { RuntimeModule } from './runtime.module.ts';

export interface OpenOptions {
  /** `online` when left out. */
  readonly capture?: CaptureMode;
  readonly sources?: SettingsSources;
  /** Instead of what the settings say. */
  readonly listenAt?: ListenAt;
  readonly drainWithinMs?: number;
  /** Told as soon as there is something to drain, which is long before the program is ready. */
  readonly onOpening?: (opening: { readonly lifecycle: Lifecycle; readonly log: Logger }) => void;
}

export interface RunningApplication {
  /** Where it answers. */
  readonly url: string;
  readonly settings: PlatformSettings;
  readonly log: Logger;
  /** In order, within its budget; never throws. */
  drain(): Promise<DrainReport>;
}

/**
 * Puts a program together and opens it: settings, data directory, modules, parts, the door. What was opened is closed
 * again when a step fails. Throws `settings-invalid`, `data-directory-*`, `port-in-use` and what the parts throw.
 */
export async function openApplication<Parts extends readonly SettingsPart[]>(
  deployable: Deployable<Parts>,
  options: OpenOptions = {},
): Promise<RunningApplication> {
  const boot = bootOf(deployable, options);
  options.onOpening?.(boot);
  try {
    const url = await open(deployable, boot, options.listenAt ?? boot.settings.http);
    return { url, settings: boot.settings, log: boot.log, drain: () => boot.lifecycle.drain() };
  } catch (error) {
    await boot.lifecycle.drain();
    throw error;
  }
}

function bootOf<Parts extends readonly SettingsPart[]>(deployable: Deployable<Parts>, options: OpenOptions): Boot<SettingsOf<Parts>> {
  const parts = [...platformSettings, ...deployable.settings];
  const settings = loadSettings(parts, options.sources ?? processSources()) as PlatformSettings & SettingsOf<Parts>;
  const clock = systemClock;
  const log = openLog({ level: settings.log.level, format: settings.log.format });
  const lifecycle = new Lifecycle(clock, {
    ...(options.drainWithinMs === undefined ? {} : { drainWithinMs: options.drainWithinMs }),
    observe: (step, part, tookMs) => {
      const fields = { part, tookMs: Math.round(tookMs) };
      if (step === 'hung' || step === 'failed') log.error(fields, `part ${step}`);
      else log.debug(fields, `part ${step}`);
    },
  });
  return { settings, capture: options.capture ?? 'online', lifecycle, health: new HealthParts(clock, lifecycle), clock, log };
}

/** Answers where the program listens. */
async function open<Settings>(deployable: Deployable, boot: Boot<Settings>, at: ListenAt): Promise<string> {
  const { lifecycle, settings } = boot;
  const directory = acquireDataDirectory(resolve(settings.data.dir));
  // Added first, so they are the last to stop.
  lifecycle.add({ name: 'data directory', phase: 'files', stop: () => directory.release() });
  const opened: { app?: NestFastifyApplication } = {};
  lifecycle.add({ name: 'modules', phase: 'files', stop: () => opened.app?.close() });

  const adapter = createHttpAdapter();
  refuseWorkWhileDraining(adapter, lifecycle);
  const root = RuntimeModule.around(boot, await deployable.register(boot as Boot<never>));
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, { logger: nestLogger(boot.log), abortOnError: false });
  opened.app = app;
  let url = '';
  lifecycle.add({
    name: 'http server',
    phase: 'http',
    start: async () => {
      url = await listen(app, at);
      directory.announce(url);
    },
    stop: () => closeDoor(app.getHttpServer(), boot.clock),
  });
  await app.init();
  await lifecycle.start();
  if (lifecycle.state !== 'running') throw new Draining();
  return url;
}
