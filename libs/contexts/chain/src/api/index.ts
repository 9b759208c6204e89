import type { Type } from '@nestjs/common';
import { AtLeast } from './at-least.ts';
import { BackfillsController } from './backfills.controller.ts';
import { BlocksController } from './blocks.controller.ts';
import { ChainsController } from './chains.controller.ts';
import { TransactionsController } from './transactions.controller.ts';

export { StoreVerification, VerificationController } from './verification.controller.ts';
export { ChainNames, ChainOverview } from './chain-status.ts';

export const chainControllers: readonly Type[] = [ChainsController, BlocksController, TransactionsController, BackfillsController];

/** Beside these the module provides ChainExplorer, ChainOverview and the CommandBus. */
export const chainApiProviders: readonly Type[] = [AtLeast];
