import { HDNodeWallet, Mnemonic } from 'ethers';
import type { Hex } from '../../domain/rpc-types.ts';

/** Roles among the embedded node's accounts, so that one role's nonces never surprise another. */
export interface DemoAccounts {
  /** Send everything of everyday. */
  readonly senders: readonly HDNodeWallet[];
  /** Deploys the tokens, so that their addresses follow from its nonce. */
  readonly founder: HDNodeWallet;
  /** Send blobs. */
  readonly sequencer: HDNodeWallet;
  /** Only sign EIP-7702 authorizations: one that is applied raises their nonce. */
  readonly authorities: readonly HDNodeWallet[];
  readonly all: readonly HDNodeWallet[];
}

export function demoAccounts(mnemonic: string, count: number): DemoAccounts {
  const root = HDNodeWallet.fromMnemonic(Mnemonic.fromPhrase(mnemonic), "m/44'/60'/0'/0");
  const all = Array.from({ length: count }, (_unused, index) => root.deriveChild(index));
  const [founder, sequencer, ...others] = all;
  if (founder === undefined || sequencer === undefined || others.length < 6) throw new Error('the demo needs eight accounts or more');
  return { founder, sequencer, authorities: others.slice(0, 4), senders: others.slice(4), all };
}

export function addressOf(wallet: HDNodeWallet): Hex {
  return wallet.address.toLowerCase() as Hex;
}
