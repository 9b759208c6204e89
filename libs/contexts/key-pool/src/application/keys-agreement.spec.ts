import { Secret } from '#platform/settings';
import { testTariff } from '../../../../../test/keys/tariffs.ts';
import { keysAgreement } from './keys-agreement.ts';

describe('what a worker must hold as the owner does', () => {
  const provider = { tariff: testTariff('metered'), http: 'https://{key}', ws: undefined, networks: undefined };
  const of = (fingerprint: string, provider_ = provider) =>
    keysAgreement({ providers: new Map([['metered', provider_], ['unused', provider]]), keys: [{ alias: 'one', provider: 'metered', fingerprints: [fingerprint], secrets: [new Secret('s3cret')] }] });

  it('is each key with its credentials, and the tariffs that are used', () => {
    expect(Object.keys(of('aaaaaaaa')).sort()).toEqual(['keys/one', 'providers/metered']);
    expect(of('aaaaaaaa')).toEqual(of('aaaaaaaa'));
    expect(of('bbbbbbbb')['keys/one']).not.toBe(of('aaaaaaaa')['keys/one']);
    expect(of('aaaaaaaa', { ...provider, tariff: testTariff('metered', { batch: 1 }) })['providers/metered']).not.toBe(of('aaaaaaaa')['providers/metered']);
    expect(JSON.stringify(of('aaaaaaaa'))).not.toContain('s3cret');
  });
});
