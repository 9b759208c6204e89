/** What the processes say; pino's logger fits. Messages are constants, what varies is a field. */
export interface CaptureLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Counted by the capture processes; the names of the metrics are given where they are wired. */
export interface CaptureMetrics {
  /** A block is durable: from the moment it was known to exist. */
  captured(chainId: string, blocks: number, transactions: number, lagMs: number | undefined): void;
  reorganized(chainId: string, depth: number): void;
  verificationFailed(chainId: string, part: string): void;
  backfilled(chainId: string, blocks: number, transactions: number): void;
  providerChanged(chainId: string, node: string): void;
}

export const unmeasured: CaptureMetrics = {
  captured: () => undefined,
  reorganized: () => undefined,
  verificationFailed: () => undefined,
  backfilled: () => undefined,
  providerChanged: () => undefined,
};
