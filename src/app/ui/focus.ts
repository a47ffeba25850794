/**
 * Gives the focus to a part of `host`. The answer gives it back to where it was, unless it has been taken elsewhere since.
 */
export function takeFocus(host: HTMLElement, part: HTMLElement): () => void {
  const before = document.activeElement
  part.focus({ preventScroll: true })
  return () => {
    const now = document.activeElement
    const free = now === null || now === document.body
    if (!free && !host.contains(now)) return
    if (!free) (now as HTMLElement).blur()
    ;(before as HTMLElement | null)?.focus?.({ preventScroll: true })
  }
}

/**
 * A sheet over everything beside it. While it is open, nothing behind it can be reached, and `first` has the focus. The
 * answer opens and closes it.
 */
export function createSheet(host: HTMLElement, first: HTMLElement): (open: boolean) => void {
  let close: (() => void) | null = null
  host.setAttribute('aria-hidden', 'true')
  return (open) => {
    if (open === (close !== null)) return
    host.classList.toggle('open', open)
    host.setAttribute('aria-hidden', String(!open))
    if (!open) {
      close?.()
      close = null
      return
    }
    const giveBack = takeFocus(host, first)
    const beside = [...host.parentElement!.children] as HTMLElement[]
    const behind = beside.filter((one) => one !== host && !one.inert)
    for (const one of behind) one.inert = true
    close = () => {
      for (const one of behind) one.inert = false
      giveBack()
    }
  }
}
