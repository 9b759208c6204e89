import { Controller, Get, Post, UseInterceptors } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { Told, TellOptions } from '#platform/actors';
import { Answers, FromBody, FromCommandHeaders, FromPath, FromQuery, sealed } from '#platform/http';
import { TellChain } from '../application/tell-chain.handler.ts';
import { ChainExplorer } from '../ports/chain-explorer.port.ts';
import { AtLeast } from './at-least.ts';
import { ChainOverview } from './chain-status.ts';
import * as dto from './chains.dto.ts';
import { ofThisCommand } from './repeated-command.ts';

const UNKNOWN = { 404: 'The chain is not captured here' };

@Controller('api/v1/chains')
@UseInterceptors(AtLeast)
export class ChainsController {
  readonly #overview: ChainOverview;
  readonly #explorer: ChainExplorer;
  readonly #commands: CommandBus;

  constructor(overview: ChainOverview, explorer: ChainExplorer, commands: CommandBus) {
    this.#overview = overview;
    this.#explorer = explorer;
    this.#commands = commands;
  }

  @Get()
  @Answers({ summary: 'The chains that are captured', schema: dto.chainList, volatile: dto.VOLATILE })
  chains(@FromQuery(dto.chainsQuery) _query: object): ReturnType<ChainOverview['all']> {
    return this.#overview.all();
  }

  @Get(':chainId')
  @Answers({ summary: 'One chain: head, finality, counts, and whether it moves', schema: dto.chainAnswer, volatile: dto.VOLATILE, refusals: UNKNOWN })
  chain(@FromPath(dto.chainPath) path: dto.ChainPath, @FromQuery(dto.chainQuery) query: dto.ChainQuery): ReturnType<ChainOverview['one']> {
    return this.#overview.one(path.chainId, query.orphaned);
  }

  @Get(':chainId/reorgs')
  @Answers({ summary: 'Reorganisations that were followed, newest first', schema: dto.reorgList, refusals: UNKNOWN })
  async reorgs(@FromPath(dto.chainPath) path: dto.ChainPath, @FromQuery(dto.reorgsQuery) query: dto.ReorgsQuery): Promise<object> {
    return sealed('reorgs', await this.#explorer.reorgs(path.chainId, query));
  }

  @Get(':chainId/stops')
  @Answers({ summary: 'When and why the chain was stopped and resumed, newest first', schema: dto.stopList, refusals: UNKNOWN })
  async stops(@FromPath(dto.chainPath) path: dto.ChainPath, @FromQuery(dto.stopsQuery) query: dto.ReorgsQuery): Promise<object> {
    return sealed('stops', await this.#explorer.stops(path.chainId, query));
  }

  @Post(':chainId/resume')
  @Answers({
    summary: 'A stopped chain goes on',
    schema: dto.commandAnswer,
    refusals: { ...UNKNOWN, 409: 'The chain does not stand still, or the idempotency key stands for another command', 412: 'The chain moved since the revision of If-Match' },
  })
  async resume(
    @FromPath(dto.chainPath) path: dto.ChainPath,
    @FromBody(dto.resumeBody) body: dto.ResumeBody,
    @FromCommandHeaders() options: TellOptions,
  ): Promise<object> {
    const answer = await this.#commands.execute(new TellChain(path.chainId, { type: 'ResumeChain', reason: body.reason }, options));
    return told(ofThisCommand(answer, options.commandId, 'ChainResumed', { reason: body.reason }));
  }
}

export function told({ revision, position, repeated }: Told): Pick<Told, 'revision' | 'position' | 'repeated'> {
  return { revision, position, repeated };
}
