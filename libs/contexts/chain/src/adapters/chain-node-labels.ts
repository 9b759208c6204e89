/** Longest piece of a path that is surely a word and no key. */
const WORD = /^(?:v\d+|rpc|ws|wss|http|https|eth|mainnet|testnet|ext|bc|c|jsonrpc|json-rpc|api|evm|main|archive|node)$/i;

/**
 * Host and path of a node's address without secrets. Providers put keys into the path, the query, the user part and
 * sometimes the host name's first label, so whatever is not a well-known word is left out.
 */
export function labelOf(url: string): string {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const path = pathname
    .split('/')
    .filter((piece) => piece !== '')
    .map((piece) => (WORD.test(piece) ? piece : '…'));
  const host = hostname
    .split('.')
    .map((piece) => (looksSecret(piece) ? '…' : piece))
    .join('.');
  return `${protocol}//${host}${port === '' ? '' : `:${port}`}${path.length === 0 ? '' : `/${path.join('/')}`}${search === '' ? '' : '?…'}`;
}

/** Cuts from a text that came from a node or a library everything that the address holds beyond its label. */
export function redact(text: string, url: string): string {
  let clean = text.replace(/\b(?:https?|wss?):\/\/[^\s"'<>)\]}]+/gi, (found) => labelOrDots(found));
  const { pathname, search, username, password, hostname } = new URL(url);
  const secrets = [
    ...pathname.split('/').filter((piece) => piece.length > 5 && !WORD.test(piece)),
    ...new URLSearchParams(search).values(),
    search.slice(1),
    decode(username),
    decode(password),
    ...hostname.split('.').filter(looksSecret),
  ];
  for (const secret of secrets) if (secret.length > 2) clean = clean.replaceAll(secret, '…');
  return clean;
}

/** Of a text that may have been cut anywhere: the piece at its end may be half of a secret, so that is left out. */
export function redactedStart(text: string, url: string, most: number): string {
  const whole = text.length <= most ? text : text.replace(/[\w.~%-]*$/, '');
  return redact(whole, url).slice(0, most);
}

/** Provider-made host labels (QuickNode): long and with digits. */
function looksSecret(hostLabel: string): boolean {
  return hostLabel.length >= 24 && /\d/.test(hostLabel);
}

function labelOrDots(url: string): string {
  try {
    return labelOf(url);
  } catch {
    return '…';
  }
}

/** Of user and password: one that holds a `%` of its own is what it is. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
