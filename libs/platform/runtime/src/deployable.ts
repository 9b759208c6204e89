import type { DynamicModule, Type } from '@nestjs/common';
import type { Clock } from '#platform/kernel';
import type { Logger } from '#platform/observability';
import type { platformSettings, SettingsOf, SettingsPart, workerPlatformSettings } from '#platform/settings';
import type { HealthParts } from './health-parts.ts';
import type { Lifecycle } from './lifecycle.ts';

/**
 * online: all that the settings say. on-demand: no head is followed and no embedded node runs; a backfill that
 * somebody asks for is captured. offline: the stores are open and answer, nothing asks a node.
 */
export type CaptureMode = 'online' | 'on-demand' | 'offline';

export type PlatformSettings = SettingsOf<typeof platformSettings>;
export type WorkerPlatformSettings = SettingsOf<typeof workerPlatformSettings>;

/** What every program gets when it is put together; the settings are right. */
export interface ProgramBoot<Settings> {
  readonly settings: Settings;
  readonly lifecycle: Lifecycle;
  readonly health: HealthParts;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Of a program that owns a data directory; it is its own by then. */
export interface Boot<Settings> extends ProgramBoot<PlatformSettings & Settings> {
  readonly capture: CaptureMode;
}

/** Of a program without a data directory and without an API. */
export type WorkerBoot<Settings> = ProgramBoot<WorkerPlatformSettings & Settings>;

/** A program: its own settings beside those of the platform, and its root module. A module class with two statics fits. */
export interface Deployable<Parts extends readonly SettingsPart[] = readonly SettingsPart[]> {
  readonly name: string;
  readonly settings: Parts;
  register(boot: Boot<SettingsOf<Parts>>): DynamicModule | Type | Promise<DynamicModule | Type>;
}

/** A program that works for another one. */
export interface WorkerDeployable<Parts extends readonly SettingsPart[] = readonly SettingsPart[]> {
  readonly name: string;
  readonly settings: Parts;
  register(boot: WorkerBoot<SettingsOf<Parts>>): DynamicModule | Type | Promise<DynamicModule | Type>;
}
