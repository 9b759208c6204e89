import { resolve } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { acquireDataDirectory } from '#platform/event-store';
import { createHttpAdapter } from '#platform/http';
import { nestLogger, type Logger } from '#platform/observability';
import { monitorSettings, platformSettings, type SettingsOf, type SettingsPart } from '#platform/settings';
import { bootOf, type BootOptions } from './boot.ts';
import type { Boot, CaptureMode, Deployable, PlatformSettings } from './deployable.ts';
import { refuseWorkWhileDraining } from './draining-door.ts';
import { closeDoor, listen, type ListenAt } from './http-listener.ts';
import { Draining, type DrainReport } from './lifecycle.ts';
import { RuntimeModule } from './runtime.module.ts';

export interface OpenOptions extends BootOptions {
  /** `online` when left out. */
  readonly capture?: CaptureMode;
  /** Instead of what the settings say. */
  readonly listenAt?: ListenAt;
}

/** A program that is open. */
export interface RunningProgram {
  /** Where it answers, where it does. */
  readonly url: string | undefined;
  readonly settings: Pick<PlatformSettings, 'log'>;
  readonly log: Logger;
  /** In order, within its budget; never throws. */
  drain(): Promise<DrainReport>;
}

export interface RunningApplication extends RunningProgram {
  readonly url: string;
  readonly settings: PlatformSettings;
}

/**
 * Puts a program together and opens it: settings, data directory, modules, parts, the door. What was opened is closed
 * again when a step fails. Throws `settings-invalid`, `data-directory-*`, `port-in-use` and what the parts throw.
 */
export async function openApplication<Parts extends readonly SettingsPart[]>(
  deployable: Deployable<Parts>,
  options: OpenOptions = {},
): Promise<RunningApplication> {
  const program = bootOf<PlatformSettings & SettingsOf<Parts>>([...platformSettings, ...deployable.settings], [monitorSettings], options);
  const boot: Boot<SettingsOf<Parts>> = { ...program, capture: options.capture ?? 'online' };
  try {
    const url = await open(deployable, boot, options.listenAt ?? boot.settings.http);
    return { url, settings: boot.settings, log: boot.log, drain: () => boot.lifecycle.drain() };
  } catch (error) {
    await boot.lifecycle.drain();
    throw error;
  }
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
