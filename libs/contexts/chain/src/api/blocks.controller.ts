import { Controller, Get, UseInterceptors } from '@nestjs/common';
import { Answers, FromPath, FromQuery, InvalidRequest, sealed } from '#platform/http';
import { ChainExplorer, type BlockCursor, type BlockPoint, type BlockTransactionCursor, type PageRequest, type WithOrphans } from '../ports/chain-explorer.port.ts';
import { AtLeast } from './at-least.ts';
import * as dto from './blocks.dto.ts';
import { chainPath, type ChainPath } from './chains.dto.ts';
import { blockTransactionList, blockTransactionsQuery } from './transactions.dto.ts';

const UNKNOWN = { 404: 'Chain or block is not captured here' };

@Controller('api/v1/chains/:chainId/blocks')
@UseInterceptors(AtLeast)
export class BlocksController {
  readonly #explorer: ChainExplorer;

  constructor(explorer: ChainExplorer) {
    this.#explorer = explorer;
  }

  @Get()
  @Answers({ summary: 'Canonical blocks, newest first', schema: dto.blockList, refusals: UNKNOWN })
  async blocks(@FromPath(chainPath) path: ChainPath, @FromQuery(dto.blocksQuery) query: PageRequest<BlockCursor> & WithOrphans): Promise<object> {
    return sealed('blocks', await this.#explorer.blocks(path.chainId, query));
  }

  @Get(':block')
  @Answers({ summary: 'One block; by hash also when it is orphaned', schema: dto.blockAnswer, refusals: UNKNOWN })
  block(@FromPath(dto.blockParams) path: dto.BlockParams, @FromQuery(dto.blockQuery) _query: object): ReturnType<ChainExplorer['block']> {
    return this.#explorer.block(path.chainId, path.block);
  }

  @Get(':block/transactions')
  @Answers({ summary: 'Transactions of a block in index order', schema: blockTransactionList, refusals: UNKNOWN })
  async transactions(@FromPath(dto.blockParams) path: dto.BlockParams, @FromQuery(blockTransactionsQuery) query: PageRequest<BlockTransactionCursor>): Promise<object> {
    const page = await this.#explorer.blockTransactions(path.chainId, path.block, query);
    if (query.after !== undefined) mustBeOf(path.block, page.block);
    return sealed('block-transactions', page);
  }
}

/** A tag or a number may stand for another block by now, and the pages stay with the one that they began with; but no cursor leads to another address. */
function mustBeOf(asked: dto.BlockParams['block'], { number, hash }: BlockPoint): void {
  const other = typeof asked === 'number' ? asked !== number : asked.startsWith('0x') && asked !== hash;
  if (other) throw new InvalidRequest([{ pointer: '/query/after', detail: `That cursor goes on in block ${number} (${hash}): ask there, or leave it out` }]);
}
