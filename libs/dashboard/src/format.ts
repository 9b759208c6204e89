/** 0x1234abcd…89ef: enough at both ends to tell two apart. */
export function shorten(hex: string, head = 6, tail = 4): string {
  return hex.length <= head + tail + 4 ? hex : `${hex.slice(0, head + 2)}…${hex.slice(-tail)}`;
}

const THIN = '\u202f';

/** Digits in groups of three; takes integers of any size as text. */
export function grouped(value: number | string): string {
  const text = String(value);
  return /^-?\d{5,}$/.test(text) ? text.replace(/\B(?=(\d{3})+$)/g, THIN) : text;
}

/** A whole number of smallest units as a decimal, exact, without zeros at the end: units('1500', 3) is 1.5. */
export function units(amount: string, decimals: number): string {
  if (!/^\d+$/.test(amount)) return amount;
  const padded = amount.padStart(decimals + 1, '0');
  const fraction = padded.slice(-decimals).replace(/0+$/, '');
  return fraction === '' ? grouped(padded.slice(0, -decimals)) : `${grouped(padded.slice(0, -decimals))}.${fraction}`;
}

/** The same for tables: five places at most, and an honest sign where more follow. */
export function roundedUnits(amount: string, decimals: number, places = 5): string {
  const exact = units(amount, decimals);
  const [whole = '', fraction = ''] = exact.split('.');
  if (fraction.length <= places) return exact;
  const kept = fraction.slice(0, places).replace(/0+$/, '');
  if (kept !== '') return `${whole}.${kept}…`;
  return whole === '0' ? `<0.${'0'.repeat(places - 1)}1` : `${whole}…`;
}

export const ether = (wei: string): string => units(wei, 18);
export const shortEther = (wei: string): string => roundedUnits(wei, 18);

/** How long ago, in words that fit into a table cell. A clock that runs behind shows 0 s. */
export function age(fromMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.floor((nowMs - fromMs) / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}

export function duration(seconds: number): string {
  return age(0, seconds * 1_000);
}

/** 2026-11-22 03:10:19 UTC */
export function moment(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** Bytes of DATA. */
export function byteLength(hex: string): number {
  return Math.max(0, (hex.length - 2) / 2);
}

export function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 100);
}

/** gasUsed of gasLimit in percent; both may exceed what a number holds. */
export function gasShare(used: unknown, limit: unknown): number | undefined {
  if (typeof used !== 'string' || typeof limit !== 'string' || !/^\d+$/.test(used) || !/^[1-9]\d*$/.test(limit)) return undefined;
  return Number((BigInt(used) * 1_000n) / BigInt(limit)) / 10;
}

/** parentBeaconBlockRoot as a reader's words: Parent beacon block root. */
export function words(field: string): string {
  const spaced = field.replace(/([a-z0-9])([A-Z])/g, (_all, before: string, after: string) => `${before} ${after.toLowerCase()}`);
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
