import { defineFolder, defineSettings, secret, setting } from '#platform/settings';
import { z } from 'zod';
import { LINKS_KEPT } from './domain/chain.decider.ts';
import { BLOCK_PARTS } from './domain/chain.events.ts';

const rpcUrl = secret(z.url({ protocol: /^(?:https?|wss?)$/, error: 'must be an http, https, ws or wss address' }));
const startBlock = z.union([z.literal('latest'), z.int().min(0)], {
  error: 'must be a block number or latest',
});

/** Environment: follow one node, or several providers of one chain, without any file. */
export const captureSettings = defineSettings(
  'capture',
  z.strictObject({
    rpcUrls: setting(z.array(rpcUrl).min(1).optional(), {
      description: 'Follow this node instead of the embedded one; several addresses, separated by commas, are providers of one chain in order of preference.',
      env: 'RPC_URL',
      defaultText: 'the embedded node, unless config/chains has files',
    }),
    startBlock: setting(startBlock.optional(), {
      description: 'First block to capture: a number or `latest`.',
      env: 'START_BLOCK',
      defaultText: '0 with the embedded node, `latest` with `RPC_URL` or `KEYS`',
    }),
    chainId: setting(z.string().regex(/^[1-9]\d*$/, 'must be a decimal number').default('1'), {
      description: 'Which chain to capture on the keys of providers, where neither `RPC_URL` nor a file in config/chains says so.',
      env: 'CHAIN_ID',
    }),
  }),
);

const verifyParts = z.strictObject(
  Object.fromEntries(BLOCK_PARTS.map((part) => [part, setting(z.boolean().default(true), { description: `Recompute this part of every block: ${part}.` })])) as Record<
    (typeof BLOCK_PARTS)[number],
    z.ZodDefault<z.ZodBoolean>
  >,
);

/** `config/chains/{name}.yaml`: one chain that is captured. */
export const chainFolder = defineFolder(
  'chains',
  z.strictObject({
    chainId: setting(z.union([z.string().regex(/^[1-9]\d*$/), z.int().positive().transform(String)], { error: 'must be a decimal number; above 2^53 in quotes' }).optional(), {
      description: 'What every provider must say of itself (EIP-155); a provider that says otherwise is not used. Quoted above 2^53.',
      defaultText: 'what the first provider says',
    }),
    name: setting(z.string().min(1).max(60).optional(), { description: 'Shown to people.', defaultText: 'the name of the file' }),
    rpcUrls: setting(z.array(rpcUrl).min(1).optional(), { description: 'Providers in order of preference: http(s) or ws(s). The first that is well is used.', defaultText: 'none: then `providers`' }),
    providers: setting(z.array(z.string().min(1)).min(1).optional(), { description: 'Instead of `rpcUrls`: names of config/providers whose keys are spent (`chainId` is needed then).', defaultText: 'none' }),
    startBlock: setting(startBlock.default('latest'), { description: 'First block to capture: a number or `latest`. What lies before is a backfill.' }),
    finality: setting(z.union([z.enum(['auto', 'tags']), z.strictObject({ depth: z.int().min(1).max(LINKS_KEPT) })]).default('auto'), {
      description: 'Where safe and finalized come from: the tags of the node (`auto`: where it has them), or `{depth: N}` blocks below the head, N up to 4096.',
    }),
    verify: setting(z.union([z.literal('auto'), z.literal('off'), verifyParts]).default('auto'), {
      description: 'Which parts of a block are recomputed: `auto` probes what the rules of this chain allow; or per part; or `off`.',
    }),
    receipts: setting(z.boolean().default(true), { description: 'Capture receipts and logs too; false halves the requests.' }),
    blockTimeMs: setting(z.int().min(10).max(3_600_000).optional(), {
      description: 'Milliseconds between blocks; silence of 1.5 of them is asked about.',
      defaultText: 'learnt from the chain',
    }),
  }).refine(({ rpcUrls, providers, chainId }) => (rpcUrls === undefined) !== (providers === undefined) && (providers === undefined || chainId !== undefined), {
    error: 'must have rpcUrls, or providers and chainId',
  }),
);

export const chainSettings = [captureSettings, chainFolder] as const;
export type CaptureSettings = z.output<typeof captureSettings.schema>;
export type ChainEntry = z.output<typeof chainFolder.schema>;
export type FinalitySetting = ChainEntry['finality'];
export type VerifySetting = ChainEntry['verify'];

/** A chain to capture, wherever it was configured. Addresses are secret: they hold keys. */
export interface ConfiguredChain extends Omit<ChainEntry, 'name' | 'rpcUrls' | 'providers'> {
  readonly name: string;
  /** How it is reached: these addresses, or the keys of these providers (of all that have keys, where none is named). */
  readonly through: { readonly rpcUrls: NonNullable<ChainEntry['rpcUrls']> } | { readonly chainId: string; readonly providers: readonly string[] | undefined };
}

/** The chains that files and environment ask for; none: the embedded node is captured. `keys`: whether there are any. */
export function configuredChains(settings: { readonly capture: CaptureSettings; readonly chains: readonly { readonly name: string; readonly value: ChainEntry }[] }, keys: boolean): ConfiguredChain[] {
  const files = settings.chains.map(({ name, value }) => configured(value.name ?? name, value));
  const { rpcUrls, startBlock: first = 'latest', chainId } = settings.capture;
  if (rpcUrls !== undefined) return [configured('rpc-url', chainFolder.schema.parse({ rpcUrls: rpcUrls.map((url) => url.reveal()), startBlock: first })), ...files];
  if (files.length > 0 || !keys) return files;
  const entry = chainFolder.schema.parse({ chainId, providers: ['all'], startBlock: first });
  return [{ ...configured(`chain ${chainId}`, entry), through: { chainId, providers: undefined } }];
}

function configured(name: string, { rpcUrls, providers, ...entry }: ChainEntry): ConfiguredChain {
  const through = rpcUrls === undefined ? { chainId: entry.chainId as string, providers } : { rpcUrls };
  return { ...entry, name, through };
}

/** Whether the embedded node is captured where no keys are configured. */
export function capturesEmbedded(settings: Parameters<typeof configuredChains>[0]): boolean {
  return configuredChains(settings, false).length === 0;
}
