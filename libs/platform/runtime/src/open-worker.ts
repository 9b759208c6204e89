import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpAdapter } from '#platform/http';
import { nestLogger } from '#platform/observability';
import { dataSettings, httpSettings, type SettingsOf, type SettingsPart, workerPlatformSettings } from '#platform/settings';
import { bootOf, type BootOptions } from './boot.ts';
import type { WorkerBoot, WorkerDeployable, WorkerPlatformSettings } from './deployable.ts';
import { closeDoor, listen } from './http-listener.ts';
import { Draining } from './lifecycle.ts';
import type { RunningProgram } from './open-application.ts';
import { RuntimeModule } from './runtime.module.ts';

/**
 * The same for a program that owns no data directory: any number of them run beside each other, and nothing listens unless
 * `monitor.port` says where. Throws `settings-invalid`, `port-in-use` and what the parts throw.
 */
export async function openWorker<Parts extends readonly SettingsPart[]>(deployable: WorkerDeployable<Parts>, options: BootOptions = {}): Promise<RunningProgram> {
  const others = [httpSettings, dataSettings];
  const boot = bootOf<WorkerPlatformSettings & SettingsOf<Parts>>([...workerPlatformSettings, ...deployable.settings], others, options);
  try {
    const url = await open(deployable, boot);
    return { url, settings: boot.settings, log: boot.log, drain: () => boot.lifecycle.drain() };
  } catch (error) {
    await boot.lifecycle.drain();
    throw error;
  }
}

async function open<Settings>(deployable: WorkerDeployable, boot: WorkerBoot<Settings>): Promise<string | undefined> {
  const { lifecycle, settings, clock, log } = boot;
  const opened: { app?: INestApplicationContext } = {};
  lifecycle.add({ name: 'modules', phase: 'files', stop: () => opened.app?.close() });
  const root = RuntimeModule.around(boot, await deployable.register(boot));
  const nest = { logger: nestLogger(log), abortOnError: false };
  const { host, port } = settings.monitor;
  let url: string | undefined;
  if (port === undefined) opened.app = await NestFactory.createApplicationContext(root, nest);
  else {
    const app = await NestFactory.create<NestFastifyApplication>(root, createHttpAdapter(), nest);
    opened.app = app;
    const start = async (): Promise<void> => void (url = await listen(app, { host, port }));
    lifecycle.add({ name: 'monitor', phase: 'http', start, stop: () => closeDoor(app.getHttpServer(), clock) });
    await app.init();
  }
  await lifecycle.start();
  if (lifecycle.state !== 'running') throw new Draining();
  return url;
}
