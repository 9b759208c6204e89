import type { Told, TellOptions } from '#platform/actors';
import { ChainfoldError } from '#platform/kernel';
import type { ICommandHandler } from '@nestjs/cqrs';
import { Command, CommandHandler } from '@nestjs/cqrs';
import type { ChainCommand } from '../domain/chain.commands.ts';
import { ChainActors } from './chain-actors.ts';
import { viewOf } from './chain-view.ts';

/** One envelope for every command of a chain. */
export class TellChain extends Command<Told> {
  readonly chainId: string;
  readonly command: ChainCommand;
  readonly options: TellOptions;

  constructor(chainId: string, command: ChainCommand, options: TellOptions = {}) {
    super();
    this.chainId = chainId;
    this.command = command;
    this.options = options;
  }
}

@CommandHandler(TellChain)
export class TellChainHandler implements ICommandHandler<TellChain> {
  readonly #chains: ChainActors;

  constructor(chains: ChainActors) {
    this.#chains = chains;
  }

  async execute({ chainId, command, options }: TellChain): Promise<Told> {
    const known = /^\d+$/.test(chainId) && viewOf((await this.#chains.peek(chainId)).state).status !== 'absent';
    if (!known && command.type !== 'StartChain') throw new UnknownChain(chainId);
    return this.#chains.tell(chainId, command, options);
  }
}

export class UnknownChain extends ChainfoldError {
  constructor(chainId: string) {
    super('This chain is not captured here', {
      code: 'chain-unknown',
      kind: 'missing',
      facts: { chainId: chainId.slice(0, 80) },
      hint: 'GET /api/v1/chains lists what is captured; a chain is added by one YAML in config/chains.',
    });
  }
}
