/** Pauses between the tries, milliseconds. */
const PAUSES = [400, 1600]

/**
 * Loads a part of the page that is fetched when it is first needed, and tries again where that fails: one bad answer of a
 * server must not cost the part. Some browsers remember by its address that a module failed, so in the built page the next
 * try asks by another one (scripts/lib/parts.mjs).
 *
 * @example
 * const { createHud } = await lazily(() => import('../scene/hud'))
 */
export async function lazily<Part>(load: () => Promise<Part>, pauses = PAUSES): Promise<Part> {
  for (const pause of pauses) {
    try {
      return await load()
    } catch {
      await new Promise<void>((resolve) => setTimeout(resolve, pause))
    }
  }
  return load()
}

/** Keeps what `load` gave, for all who ask; a failure is not kept, so that the next one who asks tries again. */
export function once<Part>(load: () => Promise<Part>): () => Promise<Part> {
  let part: Promise<Part> | null = null
  return () => {
    part ??= load().catch((error) => {
      part = null
      throw error
    })
    return part
  }
}
