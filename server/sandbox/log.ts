/** What the sandbox asks of a log; pino's is one. */
export interface Log {
  info(fields: Record<string, unknown>, sentence: string): void
  warn(fields: Record<string, unknown>, sentence: string): void
}
