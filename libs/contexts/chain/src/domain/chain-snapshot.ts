import type { LinkList } from './chain-links.ts';
import { fromList, toList } from './chain-links.ts';
import type { Branch, Chain } from './chain-state.ts';
import type { BlockRef } from './rpc-types.ts';

type Listed<T> = T extends { readonly links: unknown; readonly branch: unknown }
  ? Omit<T, 'links' | 'branch'> & { readonly links: LinkList; readonly branch: { readonly ancestor: BlockRef; readonly links: LinkList } | undefined }
  : T;

/** Links become lists, for ten thousand of them nested in each other no JSON can hold. */
export function chainToJson(chain: Chain): Listed<Chain> {
  if (chain.status === 'absent') return chain;
  const { branch } = chain;
  return { ...chain, links: toList(chain.links), branch: branch && { ancestor: branch.ancestor, links: toList(branch.links) } };
}

export function chainFromJson(json: unknown): Chain {
  const listed = json as Listed<Chain>;
  if (listed.status === 'absent') return listed;
  return { ...listed, links: fromList(listed.links), safe: listed.safe, finalized: listed.finalized, branch: branchFrom(listed) };
}

function branchFrom({ branch }: Exclude<Listed<Chain>, { readonly status: 'absent' }>): Branch | undefined {
  const links = branch === undefined ? undefined : fromList(branch.links);
  return branch === undefined || links === undefined ? undefined : { ancestor: branch.ancestor, links };
}
