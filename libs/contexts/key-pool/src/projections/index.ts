import type { Projection } from '#platform/projections';
import { keyUsage } from './key-usage.projection.ts';

/** Every projection of this context. Loaded by the projector's worker thread by URL. */
export const projections: readonly Projection[] = [keyUsage];
