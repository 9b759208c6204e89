import { Controller, Get, UseInterceptors } from '@nestjs/common';
import { Answers, FromPath, FromQuery, sealed } from '#platform/http';
import { ChainExplorer, type AddressCursor, type PageRequest, type WithOrphans } from '../ports/chain-explorer.port.ts';
import { AtLeast } from './at-least.ts';
import * as dto from './transactions.dto.ts';

@Controller('api/v1/chains/:chainId')
@UseInterceptors(AtLeast)
export class TransactionsController {
  readonly #explorer: ChainExplorer;

  constructor(explorer: ChainExplorer) {
    this.#explorer = explorer;
  }

  @Get('transactions/:hash')
  @Answers({
    summary: 'One transaction with its receipt and logs',
    description: 'Found also when every block that it stood in is orphaned.',
    schema: dto.transactionAnswer,
    refusals: { 404: 'Chain or transaction is not captured here' },
  })
  transaction(
    @FromPath(dto.transactionParams) path: dto.TransactionParams,
    @FromQuery(dto.transactionQuery) _query: object,
  ): ReturnType<ChainExplorer['transaction']> {
    return this.#explorer.transaction(path.chainId, path.hash);
  }

  @Get('addresses/:address/transactions')
  @Answers({
    summary: 'Transactions of an address as sender, receiver or created contract, newest first',
    description: 'Empty for an address that was never seen.',
    schema: dto.addressTransactionList,
    refusals: { 404: 'The chain is not captured here' },
  })
  async ofAddress(
    @FromPath(dto.addressParams) path: dto.AddressParams,
    @FromQuery(dto.addressTransactionsQuery) query: PageRequest<AddressCursor> & WithOrphans,
  ): Promise<object> {
    return sealed('address-transactions', await this.#explorer.addressTransactions(path.chainId, path.address, query));
  }
}
