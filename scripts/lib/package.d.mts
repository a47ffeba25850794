import type { OutputChunk } from 'rolldown'

export const PACKAGE_FOLDER: string
export function buildPackage(): Promise<OutputChunk[]>
