import { redactUrl, redactUrlsIn } from './redact-url.ts';

describe('an address of a provider', () => {
  it.each([
    ['https://mainnet.infura.io/v3/k3y', 'https://mainnet.infura.io/[masked]'],
    ['https://host?apikey=k3y', 'https://host/[masked]'],
    ['https://host#k3y', 'https://host/[masked]'],
    ['wss://name:k3y@host:8546/', 'wss://host:8546'],
    ['http://127.0.0.1:8545', 'http://127.0.0.1:8545'],
    ['k3y', '[address]'],
  ])('%s is shown as %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });

  it('is masked wherever it stands in a text', () => {
    expect(redactUrlsIn('GET "https://a/k3y" and (ws://b/k3y), not https://c')).toBe('GET "https://a/[masked]" and (ws://b/[masked]), not https://c');
  });

  it('is masked once', () => {
    expect(redactUrlsIn(redactUrlsIn('[https://a/k3y] and ws://b/k3y'))).toBe('[https://a/[masked]] and ws://b/[masked]');
  });
});
