import { ChainfoldError } from '#platform/kernel';

export class ChainUnknown extends ChainfoldError {
  constructor(chainId: string) {
    super(`Chain ${chainId} is not captured here`, {
      code: 'chain-unknown',
      kind: 'missing',
      facts: { chainId },
      hint: 'GET /api/v1/chains lists the chains that are; a new one is a YAML file in config/chains.',
    });
  }
}

export class BlockUnknown extends ChainfoldError {
  constructor(chainId: string, block: string, why: string, hint: string) {
    super(`Block ${block} of chain ${chainId} ${why}`, { code: 'block-unknown', kind: 'missing', facts: { chainId, block }, hint });
  }
}

export class TransactionUnknown extends ChainfoldError {
  constructor(chainId: string, hash: string) {
    super(`Transaction ${hash} is in no captured block of chain ${chainId}`, {
      code: 'transaction-unknown',
      kind: 'missing',
      facts: { chainId, hash },
      hint: 'Is it mined, and its block captured? Blocks below the captured range come with POST /api/v1/chains/{chainId}/backfills.',
    });
  }
}

export class BackfillUnknown extends ChainfoldError {
  constructor(chainId: string, id: string) {
    super(`Nobody requested backfill ${id} of chain ${chainId}`, {
      code: 'backfill-unknown',
      kind: 'missing',
      facts: { chainId, backfill: id },
      hint: 'GET /api/v1/chains/{chainId}/backfills lists those that were; the id is from-to.',
    });
  }
}
