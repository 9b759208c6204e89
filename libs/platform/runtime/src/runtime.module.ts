import { Module, type DynamicModule, type Type } from '@nestjs/common';
import type { Clock } from '#platform/kernel';
import type { ProgramBoot } from './deployable.ts';
import { HealthParts } from './health-parts.ts';
import { Lifecycle } from './lifecycle.ts';

/** Token of the one clock. */
export const CLOCK = Symbol('Clock');
/** Token of the whole `Boot` (of a worker: `WorkerBoot`), for module factories. */
export const BOOT = Symbol('Boot');

/** What every module may ask for: the clock, the lifecycle, the parts of health. */
@Module({})
export class RuntimeModule {
  /** The root of a program: the deployable's module with the runtime around it. */
  static around(boot: ProgramBoot<unknown>, module: DynamicModule | Type): DynamicModule {
    const providers = [
      { provide: BOOT, useValue: boot },
      { provide: CLOCK, useValue: boot.clock satisfies Clock },
      { provide: Lifecycle, useValue: boot.lifecycle },
      { provide: HealthParts, useValue: boot.health },
    ];
    return { module: RuntimeModule, global: true, imports: [module], providers, exports: providers };
  }
}
