import type { SettingsProblem } from '#platform/settings';
import type { ProviderEntry } from '../key-pool.settings.ts';

type Templates = Pick<ProviderEntry, 'http' | 'ws' | 'networks'>;

const WAYS = [
  { way: 'http', protocols: ['http:', 'https:'], address: 'address, http:// or https://' },
  { way: 'ws', protocols: ['ws:', 'wss:'], address: 'address, ws:// or wss://' },
] as const;
type Way = (typeof WAYS)[number];

/** A key that fits wherever one may stand in an address. */
const SAMPLE = '1';

/** Why no key could be reached by these templates. Networks stand in them by now, secrets do not. */
export function templateProblems(name: string, templates: Templates): SettingsProblem[] {
  return WAYS.flatMap(({ way, protocols, address }) => {
    const template = templates[way];
    const path = `providers/${name}.${way}`;
    if (template === undefined) return [];
    if (!template.includes('{key}')) return [{ path, rule: 'must have {key} in it', hint: 'There the secret of a key is put; `{key}` alone where secrets are whole addresses.' }];
    if (/:\/\/(?:[^/@]*@)?[^/?@]*\{key\}(?![^/]*@)/.test(template)) return [{ path, rule: 'must not have {key} in the name of the host', hint: 'Names of hosts are told in every error of the network: put it into the path or the query.' }];
    if (template.includes('{network}') && templates.networks === undefined) return [{ path, rule: 'has {network} in it, which needs networks', hint: 'Name them by chain id: networks: {1: mainnet}.' }];
    const told = ofNetworks(template, templates).filter((text) => !text.startsWith('{key}'));
    if (told.every((text) => isAddress(withKey(text, SAMPLE), protocols))) return [];
    return [{ path, rule: `must be an ${address}`, hint: 'With every network and any key in it, like https://{network}.host/v3/{key}.' }];
  });
}

/** Why a key could not be reached, of one whose provider's templates are good. Tells no part of what is made of its secrets. */
export function addressProblems({ path, provider, secrets }: { readonly path: string; readonly provider: string; readonly secrets: readonly string[] }, templates: Templates): SettingsProblem[] {
  return WAYS.flatMap((way) => {
    const template = templates[way.way];
    if (template === undefined || ofNetworks(template, templates).every((text) => secrets.every((secret) => isAddress(withKey(text, secret), way.protocols)))) return [];
    return [{ path, ...misfit(template, provider, way) }];
  });
}

function misfit(template: string, provider: string, { way, address }: Way): Pick<SettingsProblem, 'rule' | 'hint'> {
  if (template === '{key}') return { rule: `must be a whole ${address}`, hint: `Of ${provider} the secret is the address itself, with its scheme.` };
  return { rule: `must fit into the address that providers/${provider}.${way} makes of it`, hint: 'Give the key alone, as the provider shows it.' };
}

function ofNetworks(template: string, { networks }: Templates): readonly string[] {
  return Object.values(networks ?? { any: '' }).map((network) => template.replaceAll('{network}', () => network));
}

function withKey(text: string, secret: string): string {
  return text.replaceAll('{key}', () => secret);
}

/** With both slashes, for only such addresses are masked in texts. */
function isAddress(text: string, protocols: readonly string[]): boolean {
  const url = URL.parse(text);
  return url !== null && protocols.includes(url.protocol) && text.toLowerCase().startsWith(`${url.protocol}//`);
}
