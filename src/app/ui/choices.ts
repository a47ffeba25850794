const KEY = 'oneiro.choices'

/** What a person chose once and finds so on the next visit. */
export interface Choices {
  /** The picture covers the window. */
  readonly bleed: boolean
  /** The drive is kept whole while a person plays. */
  readonly assist: boolean
  /** The drive is heard. */
  readonly sound: boolean
}

/** What was chosen on an earlier visit; nothing where the browser keeps nothing. */
export function recall(): Partial<Choices> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}')
    const { bleed, assist, sound } = Object(kept) as Record<keyof Choices, unknown>
    return {
      ...(typeof bleed === 'boolean' ? { bleed } : {}),
      ...(typeof assist === 'boolean' ? { assist } : {}),
      ...(typeof sound === 'boolean' ? { sound } : {}),
    }
  } catch {
    return {}
  }
}

export function remember(choice: Partial<Choices>): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...recall(), ...choice }))
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
}
