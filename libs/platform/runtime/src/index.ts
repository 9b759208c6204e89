export type { BootOptions } from './boot.ts';
export { exitCodeOf, explain } from './boot-failure.ts';
export type { Boot, CaptureMode, Deployable, PlatformSettings, ProgramBoot, WorkerBoot, WorkerDeployable } from './deployable.ts';
export { EXIT, EXIT_MEANINGS, type ExitCode } from './exit-codes.ts';
export { HealthParts, type Health, type HealthCheck } from './health-parts.ts';
export { Lifecycle, type DrainReport, type LifecycleState, type Part, type Phase } from './lifecycle.ts';
export { openApplication, type OpenOptions, type RunningApplication, type RunningProgram } from './open-application.ts';
export { programVersion } from './program-version.ts';
export { serve, serveWorker } from './serve.ts';
