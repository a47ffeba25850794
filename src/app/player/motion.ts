/** Why a drive stands that somebody stopped: by a key, because the page lost the focus, or while the scrubber is dragged. */
export type PauseCause = 'user' | 'away' | 'scrub'

/** Whether the drive goes on by itself. */
export type Motion =
  /** Nobody asked it to stand: it has not begun yet, or a fault ended it. */
  | { readonly is: 'stopped' }
  | { readonly is: 'playing' }
  | { readonly is: 'paused'; readonly by: PauseCause }
  /** Something about it changes; after that it is as `after` says, which wishes change meanwhile. */
  | { readonly is: 'held'; readonly after: Exclude<Motion, { is: 'held' }> }

export type MotionEvent =
  | { readonly type: 'play' }
  /** Counts where it plays, or will. */
  | { readonly type: 'pause'; readonly by: PauseCause }
  /** A single tick was asked for: it stands after that, whatever was before. */
  | { readonly type: 'step' }
  /** The focus is back, or the scrubber was let go of: what stood for that alone goes on. */
  | { readonly type: 'back'; readonly from: Exclude<PauseCause, 'user'> }
  /** Space while the scrubber is dragged: it stands after that, too. */
  | { readonly type: 'settle' }
  | { readonly type: 'hold' }
  | { readonly type: 'release' }
  /** The loop ended by itself. */
  | { readonly type: 'fault' }

/** How the drive goes on after an event. The same object where nothing changed. */
export function next(motion: Motion, event: MotionEvent): Motion {
  if (event.type === 'hold') return motion.is === 'held' ? motion : { is: 'held', after: motion }
  if (event.type === 'release') return motion.is === 'held' ? motion.after : motion
  if (motion.is !== 'held') return free(motion, event)
  // The loop stands already, by our own hand.
  if (event.type === 'fault') return motion
  const after = free(motion.after, event)
  return after === motion.after ? motion : { is: 'held', after }
}

type Free = Exclude<Motion, { is: 'held' }>

function free(motion: Free, event: Exclude<MotionEvent, { type: 'hold' | 'release' }>): Free {
  switch (event.type) {
    case 'play':
      return motion.is === 'playing' ? motion : { is: 'playing' }
    case 'pause':
      return motion.is === 'playing' ? { is: 'paused', by: event.by } : motion
    case 'step':
      return { is: 'paused', by: 'user' }
    case 'back':
      return motion.is === 'paused' && motion.by === event.from ? { is: 'playing' } : motion
    case 'settle':
      return motion.is === 'paused' && motion.by === 'scrub' ? { is: 'paused', by: 'user' } : motion
    case 'fault':
      return motion.is === 'playing' ? { is: 'stopped' } : motion
  }
}

/** As it is where nothing holds it, or will be when that lets go. */
export function wished(motion: Motion): Free {
  return motion.is === 'held' ? motion.after : motion
}
