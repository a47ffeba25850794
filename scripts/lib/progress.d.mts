/** How far a long command is: a bar on a terminal, and a line now and then where the output goes into a file. */
export function progressOf(options: { total: number; unit: string; stream?: NodeJS.WriteStream }): {
  advance(note?: string): void
  stop(): void
}
