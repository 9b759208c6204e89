/** What the purse says; pino's logger fits. Messages are constants, what varies is a field. Only changes of state are told. */
export interface PurseLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
