/** Providers put keys into paths, queries and user names: of an address only scheme, host and port may be shown. */
export function redactUrl(url: string | URL): string {
  const text = String(url);
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\s]*)(.*)$/is.exec(text);
  if (match === null) return '[address]';
  const [, scheme = '', authority = '', rest = ''] = match;
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  return `${scheme}://${host}${rest === '' || rest === '/' ? '' : '/[masked]'}`;
}

/** One that is masked already is whole with its last bracket, and stays as it is. */
const ADDRESS = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'`<>)\]}]+(?:(?<=\/\[masked)\])?/gi;

/** The same for every address inside a text, as messages of other people's errors have them. */
export function redactUrlsIn(text: string): string {
  return text.includes('://') ? text.replace(ADDRESS, (address) => redactUrl(address)) : text;
}
