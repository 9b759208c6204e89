import { Controller, Get, Post, Res, UseInterceptors } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply } from 'fastify';
import type { TellOptions } from '#platform/actors';
import { Answers, FromBody, FromCommandHeaders, FromPath, FromQuery, sealed } from '#platform/http';
import { TellChain } from '../application/tell-chain.handler.ts';
import { ChainExplorer } from '../ports/chain-explorer.port.ts';
import { AtLeast } from './at-least.ts';
import * as dto from './backfills.dto.ts';
import { told } from './chains.controller.ts';
import { chainPath, commandAnswer, type ChainPath } from './chains.dto.ts';
import { ofThisCommand } from './repeated-command.ts';

@Controller('api/v1/chains/:chainId/backfills')
@UseInterceptors(AtLeast)
export class BackfillsController {
  readonly #explorer: ChainExplorer;
  readonly #commands: CommandBus;

  constructor(explorer: ChainExplorer, commands: CommandBus) {
    this.#explorer = explorer;
    this.#commands = commands;
  }

  @Get()
  @Answers({ summary: 'Backfills with their progress, highest range first', schema: dto.backfillList, refusals: { 404: 'The chain is not captured here' } })
  async backfills(@FromPath(chainPath) path: ChainPath, @FromQuery(dto.backfillsQuery) query: dto.BackfillsQuery): Promise<object> {
    return sealed('backfills', await this.#explorer.backfills(path.chainId, query));
  }

  @Get(':backfill')
  @Answers({ summary: 'One backfill: progress, rate, time to go', schema: dto.backfillAnswer, refusals: { 404: 'Nobody requested that range' } })
  backfill(@FromPath(dto.backfillParams) path: dto.BackfillParams, @FromQuery(dto.backfillQuery) _query: object): ReturnType<ChainExplorer['backfill']> {
    return this.#explorer.backfill(path.chainId, path.backfill.from, path.backfill.to);
  }

  @Post()
  @Answers({
    summary: 'Captures an older range of blocks',
    description: 'Accepted, not done: Location is where its progress stands.',
    status: 202,
    schema: dto.backfillRequested,
    refusals: { 404: 'The chain is not captured here', 409: 'A block of the range is captured or requested already, or lies ahead of the head; or the idempotency key stands for another command', 412: 'The chain moved since the revision of If-Match' },
  })
  async request(
    @FromPath(chainPath) path: ChainPath,
    @FromBody(dto.backfillBody) body: dto.BackfillBody,
    @FromCommandHeaders() options: TellOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<object> {
    const first = await this.#commands.execute(new TellChain(path.chainId, { type: 'RequestBackfill', ...body }, options));
    const answer = told(ofThisCommand(first, options.commandId, 'BackfillRequested', body));
    const id = `${body.from}-${body.to}`;
    void reply.header('location', `/api/v1/chains/${path.chainId}/backfills/${id}`);
    return { id, ...body, ...answer };
  }

  @Post(':backfill/cancel')
  @Answers({
    summary: 'Takes a backfill back that is not finished',
    description:
      'What is captured of it stays, and any part of the range may be requested again. The same range goes on where it was; one with other ends begins anew, which helps where its blocks join nothing.',
    schema: commandAnswer,
    refusals: { 404: 'The chain is not captured here, or that very range is not requested', 409: 'All of it is captured, or the idempotency key stands for another command', 412: 'The chain moved since the revision of If-Match' },
  })
  async cancel(
    @FromPath(dto.backfillParams) path: dto.BackfillParams,
    @FromBody(dto.cancelBody) body: dto.CancelBody,
    @FromCommandHeaders() options: TellOptions,
  ): Promise<object> {
    const cancelled = { ...path.backfill, reason: body.reason };
    const answer = await this.#commands.execute(new TellChain(path.chainId, { type: 'CancelBackfill', ...cancelled }, options));
    return told(ofThisCommand(answer, options.commandId, 'BackfillCancelled', cancelled));
  }
}
