import type { Projection } from '#platform/projections';
import { chainExplorer } from './chain-explorer.projection.ts';

export { chainUpcasters as upcasters } from '../domain/chain.upcasters.ts';

/** Every projection of this context. Loaded by the projector's worker thread by URL. */
export const projections: readonly Projection[] = [chainExplorer];
