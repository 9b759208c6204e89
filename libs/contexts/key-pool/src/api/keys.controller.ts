import { Controller, Get, Post } from '@nestjs/common';
import { Answers, FromBody, FromPath, FromQuery } from '#platform/http';
import { KeyBoard, type KeyOnBoard } from '../application/key-board.ts';
import { KeyExplainer, type KeyExplanation, KeyProbe, type KeyProbeResult } from '../ports/key-desk.port.ts';
import * as dto from './keys.dto.ts';

const UNKNOWN = { 404: 'There is no key of this alias' };

@Controller('api/v1')
export class KeysController {
  readonly #board: KeyBoard;
  readonly #explainer: KeyExplainer;
  readonly #prober: KeyProbe;

  constructor(board: KeyBoard, explainer: KeyExplainer, prober: KeyProbe) {
    this.#board = board;
    this.#explainer = explainer;
    this.#prober = prober;
  }

  @Get('keys')
  @Answers({ summary: 'The keys of providers: state, budgets, use', schema: dto.keyList, volatile: dto.VOLATILE })
  keys(@FromQuery(dto.nothing) _query: object): ReturnType<KeyBoard['all']> {
    return this.#board.all();
  }

  @Get('keys/:alias')
  @Answers({ summary: 'One key', schema: dto.keyAnswer, volatile: dto.VOLATILE, refusals: UNKNOWN })
  key(@FromPath(dto.keyPath) path: dto.KeyPath, @FromQuery(dto.nothing) _query: object): Promise<KeyOnBoard> {
    return this.#board.one(path.alias);
  }

  @Get('keys/:alias/explain')
  @Answers({ summary: 'Why this key is used, or not', schema: dto.explanation, refusals: UNKNOWN })
  explain(@FromPath(dto.keyPath) path: dto.KeyPath, @FromQuery(dto.nothing) _query: object): Promise<KeyExplanation> {
    return this.#explainer.explain(path.alias);
  }

  /** It spends: a body of JSON, though empty, is what no page of a stranger can have a browser send here. */
  @Post('keys/:alias/probe')
  @Answers({ summary: 'Asks this one key for its chain and head', description: 'Two calls, within the budget of the key.', schema: dto.probeAnswer, refusals: UNKNOWN })
  probe(@FromPath(dto.keyPath) path: dto.KeyPath, @FromBody(dto.nothing) _body: object): Promise<KeyProbeResult> {
    return this.#prober.probe(path.alias);
  }

  @Get('usage')
  @Answers({ summary: 'What units and money went to, by day, chain, provider and method', schema: dto.usageList })
  usage(@FromQuery(dto.usageQuery) query: dto.UsageQuery): ReturnType<KeyBoard['spent']> {
    return this.#board.spent(query.days);
  }
}
