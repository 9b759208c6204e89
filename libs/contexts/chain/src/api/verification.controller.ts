import { Controller, Get, Logger, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Answers, FromPath, FromQuery, wholeNumber } from '#platform/http';
import { answerLines } from '#platform/operations';
import type { VerifyStep } from '../application/verify-store.ts';
import { ChainExplorer } from '../ports/chain-explorer.port.ts';
import { chainPath, type ChainPath } from './chains.dto.ts';

const blockNumber = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const verificationQuery = z
  .strictObject({ from: blockNumber.optional().describe('First block; left out: the first that is stored.'), to: blockNumber.optional().describe('Last block, included.') })
  .refine(({ from, to }) => from === undefined || to === undefined || from <= to, { path: ['from'], error: 'Takes a block that is not above `to`' });
const verifyStep = z.looseObject({ kind: z.enum(['progress', 'finding', 'hole', 'done', 'failed']).describe('progress: blocks so far. finding: what is wrong with a block. hole: blocks that were never asked for. done: the counts. failed: why the walk could not go on, with code, message and hint.') }).meta({ id: 'VerificationStep' });
type VerificationQuery = z.output<typeof verificationQuery>;

/** Reads what is stored of one chain again and tells what is wrong with it; a token of its own, for it needs the log. */
export abstract class StoreVerification {
  abstract steps(options: { readonly chainId: string; readonly from?: number; readonly to?: number }): AsyncIterable<VerifyStep>;
}

@Controller('api/v1/chains/:chainId/verification')
export class VerificationController {
  readonly #log = new Logger('Verification');
  readonly #explorer: ChainExplorer;
  readonly #verification: StoreVerification;

  constructor(explorer: ChainExplorer, verification: StoreVerification) {
    this.#explorer = explorer;
    this.#verification = verification;
  }

  @Get()
  @Answers({
    summary: 'Recomputes what is stored: links, roots, gaps, counts',
    description: 'One JSON value per line as it is found. The last one is `done`, or `failed` with the reason; without either the walk was cut short.',
    mediaType: 'application/x-ndjson',
    schema: verifyStep,
    refusals: { 404: 'The chain is not captured here' },
  })
  async verify(@FromPath(chainPath) { chainId }: ChainPath, @FromQuery(verificationQuery) { from, to }: VerificationQuery, @Res() reply: FastifyReply): Promise<void> {
    await this.#explorer.chain(chainId);
    const steps = this.#verification.steps({ chainId, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) });
    await answerLines(reply, steps).catch((error: unknown) => this.#log.error({ msg: 'verification failed', chainId, err: error }));
  }
}
