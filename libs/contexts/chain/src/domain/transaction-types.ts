/** Legacy to set code (EIP-7702): types whose shape everybody knows. Answers from before EIP-2718 name none. */
export function isStandardType(type: unknown): boolean {
  if (type === undefined || type === null) return true;
  return typeof type === 'string' && /^0x0*[0-4]$/.test(type);
}
